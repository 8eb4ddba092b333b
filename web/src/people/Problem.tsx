/** What the server refused a small form with, in one line. */
import { ApiFailure } from "../api/client";
import { Icon } from "../icons/Icon";
import { languageOf } from "../runs/FailureCard";
import styles from "./people.module.css";

export function Problem({ problem }: { problem: Error | null }) {
  if (!problem) return null;
  const error = problem instanceof ApiFailure ? problem.error : null;
  return (
    <p className={styles.problem} role="alert">
      <Icon name="warning" size={14} />{" "}
      <span lang={error ? languageOf(error) : undefined}>
        {problem.message} {error?.hint}
      </span>
    </p>
  );
}
