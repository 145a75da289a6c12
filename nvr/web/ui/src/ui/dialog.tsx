/** A modal dialog on the browser's own <dialog>: focus, Escape and the background are its business. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import { Button } from "./parts";

/** Its own padding is not the background, though a click there is told as one on the dialog too. */
export function isOutside(box: { left: number; right: number; top: number; bottom: number }, at: { clientX: number; clientY: number }): boolean {
  return at.clientX < box.left || at.clientX > box.right || at.clientY < box.top || at.clientY > box.bottom;
}

export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current!;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog ref={ref} class="dialog" aria-label={title} onClose={onClose}
      onClick={(e) => e.target === e.currentTarget && isOutside(e.currentTarget.getBoundingClientRect(), e) && onClose()}>
      <header class="dialog-head">
        <h2>{title}</h2>
        <Button icon="cross" bare label={t("act.close")} onClick={onClose} />
      </header>
      {children}
    </dialog>
  );
}
