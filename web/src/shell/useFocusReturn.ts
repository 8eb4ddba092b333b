/** Of a dialog that comes and goes as a whole: when it goes, the focus is where it was before. */
import { useLayoutEffect } from "react";

export function useFocusReturn(): void {
  useLayoutEffect(() => {
    const opener = document.activeElement;
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
}
