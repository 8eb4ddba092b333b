/** What a folder, an archive or a table holds as pictures: classes, a few of each, what is left out. */
import { Button, Loader, Spoiler } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { readDescription } from "../api/questions";
import type { ClassInfo, SourceInfo } from "../api/types";
import { Icon } from "../icons/Icon";
import { RequestFailure } from "../runs/FailureCard";
import styles from "./sources.module.css";

const CLASSES = 30;
const SAMPLES = 4;

export function SourceDescription({ path }: { path: string }) {
  const { t } = useTranslation();
  const found = useQuery({
    queryKey: ["description", path],
    queryFn: ({ signal }) => readDescription(path, signal),
    enabled: path !== "",
    retry: false,
    staleTime: Number.POSITIVE_INFINITY, // looking takes seconds: only a person asks for it again
  });
  const look = () => void found.refetch();
  return (
    <section className={styles.source} aria-label={t("source.title")}>
      <header className={styles.head}>
        <h3>{t("source.title")}</h3>
        <Button
          size="compact-xs"
          leftSection={<Icon name="refresh" size={14} />}
          loading={found.isFetching && !found.isPending}
          onClick={look}
        >
          {t("source.again")}
        </Button>
      </header>
      {found.isPending && (
        <p className="quiet">
          <Loader size="xs" /> {t("source.looking")}
        </p>
      )}
      {found.error && <RequestFailure problem={found.error} onAgain={look} />}
      {found.data && !found.error && <Found source={found.data} />}
    </section>
  );
}

function Found({ source }: { source: SourceInfo }) {
  const { t } = useTranslation();
  const most = Math.max(1, ...source.classes.map((one) => one.images));
  return (
    <>
      <p className="number">
        {t("source.pictures", { count: source.images })},{" "}
        {t("source.classes", { count: source.classes.length })}
      </p>
      <ul className={styles.classes}>
        {source.classes.slice(0, CLASSES).map((one) => (
          <Class key={one.name ?? ""} one={one} most={most} />
        ))}
      </ul>
      {source.classes.length > CLASSES && (
        <p className="quiet">
          {t("source.moreClasses", { count: source.classes.length - CLASSES })}
        </p>
      )}
      {source.notices.map((text) => (
        <p key={text} className={styles.notice}>
          {text}
        </p>
      ))}
      <LeftOut source={source} />
    </>
  );
}

function Class({ one, most }: { one: ClassInfo; most: number }) {
  const { t } = useTranslation();
  return (
    <li>
      <div className={styles.name}>
        <span>{one.name ?? t("source.unlabelled")}</span>
        <span className="quiet number">{one.images.toLocaleString("en")}</span>
      </div>
      <div className={styles.bar} style={{ width: `${(100 * one.images) / most}%` }} />
      <div className={styles.samples}>
        {one.samples.slice(0, SAMPLES).map((sample) =>
          sample.thumbnail ? (
            <img key={sample.file} src={sample.thumbnail} alt={sample.file} title={sample.file} />
          ) : (
            <span
              key={sample.file}
              className={styles.broken}
              title={`${sample.file} ${sample.problem}`}
            >
              <Icon name="warning" size={14} />
            </span>
          ),
        )}
      </div>
    </li>
  );
}

function LeftOut({ source }: { source: SourceInfo }) {
  const { t } = useTranslation();
  if (source.left_out === 0) return null;
  return (
    <div className={styles.leftOut}>
      <strong>{t("source.leftOut", { count: source.left_out })}</strong>
      <ul>
        {Object.entries(source.left_out_reasons).map(([reason, count]) => (
          <li key={reason}>
            <span className="number">{count.toLocaleString("en")}</span> {reason}
          </li>
        ))}
      </ul>
      <Spoiler maxHeight={0} showLabel={t("source.files")} hideLabel={t("source.fewer")}>
        <ul>
          {source.left_out_files.map((one) => (
            <li key={one.file}>
              {one.file} {one.reason}. <span className="quiet">{one.hint}</span>
            </li>
          ))}
        </ul>
      </Spoiler>
    </div>
  );
}
