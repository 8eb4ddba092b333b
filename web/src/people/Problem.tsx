/** What the server refused a small form with, in one line. */
import { ApiFailure } from "../api/client";
import { Icon } from "../icons/Icon";
import styles from "./people.module.css";

export function Problem({ problem }: { problem: Error | null }) {
  if (!problem) return null;
  const hint = problem instanceof ApiFailure ? problem.error.hint : "";
  return (
    <p className={styles.problem} role="alert">
      <Icon name="warning" size={14} /> {problem.message} {hint}
    </p>
  );
}
