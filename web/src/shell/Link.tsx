/** A link to a view: followed without loading the page anew, and opened in a tab like any other. */
import type { MouseEvent, ReactNode } from "react";
import { go, pathOf, type Route } from "./route";

interface LinkProps {
  to: Route;
  children: ReactNode;
  className?: string | undefined;
  isCurrent?: boolean;
}

export function Link({ to, children, className, isCurrent = false }: LinkProps) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a
      href={pathOf(to)}
      onClick={follow}
      className={className}
      aria-current={isCurrent ? "page" : undefined}
    >
      {children}
    </a>
  );
}
