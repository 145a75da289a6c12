/** A modal dialog on the browser's own <dialog>: focus, Escape and the background are its business. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import { Button } from "./parts";

export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current!;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog ref={ref} class="dialog" aria-label={title} onClose={onClose}
      onClick={(e) => e.target === e.currentTarget && onClose()}>
      <header class="dialog-head">
        <h2>{title}</h2>
        <Button icon="cross" bare label={t("act.close")} onClick={onClose} />
      </header>
      {children}
    </dialog>
  );
}
