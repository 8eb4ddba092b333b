/** What stands where there is nothing to show: why, and the way on. */
import type { ReactNode } from "react";
import styles from "./Message.module.css";

interface MessageProps {
  title: string;
  text?: string;
  /** The way on: a button, or several. */
  children?: ReactNode;
}

export function Message({ title, text, children }: MessageProps) {
  return (
    <div className={styles.message}>
      <h1>{title}</h1>
      {text && <p className="quiet">{text}</p>}
      {children}
    </div>
  );
}
