/** Asks before changes are lost: when the window is closed, and at the page's own links. */

import { useEffect } from "preact/hooks";
import { t } from "../i18n";

export function useLeaveQuestion(changed: boolean): void {
  useEffect(() => {
    if (!changed) return;
    const closing = (event: BeforeUnloadEvent) => event.preventDefault();
    const clicked = (event: MouseEvent) => {
      const link = event.target instanceof Element && event.target.closest('a[href^="#/"]');
      if (link && !confirm(t("zn.leave"))) event.preventDefault();
    };
    addEventListener("beforeunload", closing);
    document.addEventListener("click", clicked, true);
    return () => {
      removeEventListener("beforeunload", closing);
      document.removeEventListener("click", clicked, true);
    };
  }, [changed]);
}
