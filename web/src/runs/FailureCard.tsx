/** An error as a person needs it: what, where, why, what to do, and the line of the log. */
import { Button, Code, Spoiler, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { ApiFailure } from "../api/client";
import type { ErrorInfo } from "../api/types";
import { fromServer } from "../i18n/fromServer";
import { Icon } from "../icons/Icon";
import factsStyles from "./facts.module.css";
import styles from "./runs.module.css";

interface FailureCardProps {
  error: ErrorInfo;
  where?: string | undefined;
  onLog?: (() => void) | undefined;
  onAgain?: (() => void) | undefined;
}

export function FailureCard({ error, where, onLog, onAgain }: FailureCardProps) {
  const { t } = useTranslation();
  const details = Object.entries(error.details ?? {}).filter(([, value]) => value !== null);
  return (
    <section className={styles.failure} role="alert">
      <header className={styles.failureTitle}>
        <Icon name="failed" />
        <strong>{fromServer(error.type)}</strong>
        {error.code && <span className="quiet">{t("failure.code", { code: error.code })}</span>}
        {where && <span className="quiet">{where}</span>}
      </header>
      <Text size="sm" className={styles.message} lang={languageOf(error)}>
        {error.message}
      </Text>
      {error.hint && (
        <Text size="sm" className={styles.hint} lang={languageOf(error)}>
          {error.hint}
        </Text>
      )}
      {details.length > 0 && (
        <Spoiler maxHeight={0} showLabel={t("failure.details")} hideLabel={t("failure.details")}>
          <dl className={factsStyles.facts}>
            {details.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <Code>{typeof value === "object" ? JSON.stringify(value) : String(value)}</Code>
                </dd>
              </div>
            ))}
          </dl>
        </Spoiler>
      )}
      <div className={styles.actions}>
        {onLog && (
          <Button leftSection={<Icon name="log" size={14} />} onClick={onLog}>
            {t("failure.atLine")}
          </Button>
        )}
        {onAgain && (
          <Button leftSection={<Icon name="refresh" size={14} />} onClick={onAgain}>
            {t("failure.again")}
          </Button>
        )}
      </div>
    </section>
  );
}

/** The engine speaks English; what the page says for itself has no type. */
export function languageOf(error: ErrorInfo): "en" | undefined {
  return error.type ? "en" : undefined;
}

/** The same for what a request was refused with. */
export function RequestFailure({ problem, onAgain }: { problem: unknown; onAgain?: () => void }) {
  const { t } = useTranslation();
  const offline: ErrorInfo = {
    code: "",
    type: "",
    message: t("failure.offline"),
    hint: t("failure.offlineHint"),
    reason: "no-answer",
    details: {},
  };
  const known = problem instanceof ApiFailure && problem.status > 0 ? problem.error : offline;
  return <FailureCard error={known} onAgain={onAgain} />;
}
