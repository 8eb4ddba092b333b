/** Pictures that stand twice or nearly twice: searched in the background, shown side by side. */
import { Button, Progress, Select } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { beginSearch, type Pictures, stopSearch } from "../api/dataQuestions";
import type { AboutSearch, ImagesInfo, SetKind } from "../api/types";
import { textOf } from "../graph/pipeline";
import { Icon } from "../icons/Icon";
import { RequestFailure } from "../runs/FailureCard";
import { DuplicateSets } from "./DuplicateSets";
import styles from "./data.module.css";
import { useSearch } from "./queries";
import { keyOf } from "./store";

interface DuplicatesViewProps {
  which: Pictures;
  images: ImagesInfo;
  nameOf: (node: string, port: string) => string;
}

export function DuplicatesView({ which, images, nameOf }: DuplicatesViewProps) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [against, setAgainst] = useState("");
  const search = useSearch(which, against);
  const again = () => queries.invalidateQueries({ queryKey: ["search", keyOf(which)] });
  const begin = useMutation({ mutationFn: () => beginSearch(which, against), onSettled: again });
  const stop = useMutation({ mutationFn: () => stopSearch(which, against), onSettled: again });
  const others = images.others.filter(
    ({ node, port }) => node !== which.node || port !== which.port,
  );
  const state = search.data;
  return (
    <div className={styles.column}>
      <p className="quiet">{t("duplicates.lead")}</p>
      <div className={styles.top}>
        <Select
          label={t("duplicates.against")}
          data={[
            { value: "", label: t("duplicates.nothing") },
            ...others.map(({ node, port }) => ({
              value: textOf({ node, port }),
              label: nameOf(node, port),
            })),
          ]}
          value={against}
          onChange={(value) => setAgainst(value ?? "")}
          allowDeselect={false}
        />
        {state?.state === "working" ? (
          <Button leftSection={<Icon name="stop" size={14} />} onClick={() => stop.mutate()}>
            {t("duplicates.stop")}
          </Button>
        ) : (
          state?.state === "none" && (
            <Button
              variant="filled"
              leftSection={<Icon name="search" size={14} />}
              loading={begin.isPending}
              onClick={() => begin.mutate()}
            >
              {t("duplicates.search")}
            </Button>
          )
        )}
      </div>
      {search.error && (
        <RequestFailure problem={search.error} onAgain={() => void search.refetch()} />
      )}
      {begin.error && <RequestFailure problem={begin.error} onAgain={() => begin.mutate()} />}
      {stop.error && <RequestFailure problem={stop.error} onAgain={() => stop.mutate()} />}
      {state?.state === "working" && <Working done={state.num_done} total={state.num_total} />}
      {state?.state === "done" && state.found && (
        <Found key={against} which={which} against={against} found={state.found} />
      )}
    </div>
  );
}

function Working({ done, total }: { done: number; total: number }) {
  const { t } = useTranslation();
  const text = total === 0 ? t("duplicates.starting") : t("duplicates.working", { done, total });
  return (
    <div className={styles.working} role="status">
      <Progress value={total === 0 ? 0 : (100 * done) / total} aria-label={text} />
      <span className="quiet number">
        {text}. {t("duplicates.again")}
      </span>
    </div>
  );
}

interface FoundProps {
  which: Pictures;
  against: string;
  found: AboutSearch;
}

function Found({ which, against, found }: FoundProps) {
  const { t } = useTranslation();
  const kinds: readonly [SetKind, number][] = [
    ["leak", found.leaks],
    ["equal", found.equal],
    ["similar", found.similar],
  ];
  const isClean = kinds.every(([, count]) => count === 0);
  return (
    <>
      {isClean && (
        <p>
          <Icon name="check" size={14} /> {t("duplicates.clean")}
        </p>
      )}
      {found.flat > 0 && <p className="quiet">{t("duplicates.flat", { count: found.flat })}</p>}
      {found.unread_total > 0 && (
        <section className={styles.care}>
          <p>
            {t("duplicates.unread", {
              count: found.unread_total,
            })}
          </p>
          <ul>
            {found.unread.slice(0, 20).map(([file, reason]) => (
              <li key={file}>
                {file} <span lang="en">{reason}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {kinds.map(
        ([kind, count]) =>
          count > 0 && (
            <DuplicateSets key={kind} which={which} kind={kind} against={against} total={count} />
          ),
      )}
    </>
  );
}
