/** Sets of one kind: each with its pictures side by side, and a way to leave the copies out. */
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { type Pictures, readImagesPage, thumbnailOf } from "../api/dataQuestions";
import type { DuplicateSet, ListedPicture, SetKind, SetMember } from "../api/types";
import { endOf } from "../graph/pipeline";
import { RequestFailure } from "../runs/FailureCard";
import { correct, MOST_CORRECTIONS } from "./corrections";
import styles from "./data.module.css";
import { useSets } from "./queries";
import { changeCorrections, refuse, useCorrections } from "./store";

const PAGE = 1_000; // as many as the server gives at once

interface DuplicateSetsProps {
  which: Pictures;
  kind: SetKind;
  against: string;
  total: number;
}

export function DuplicateSets({ which, kind, against, total }: DuplicateSetsProps) {
  const { t } = useTranslation();
  const found = useSets(which, kind, against);
  const sets = found.data?.pages.flatMap((page) => page.sets) ?? [];
  return (
    <section className={styles.sets} aria-label={t(`data.kinds.${kind}`)}>
      <h2>
        {t(`data.kinds.${kind}`)}{" "}
        <span className="quiet number">{t("duplicates.sets", { count: total })}</span>
      </h2>
      {found.error && <RequestFailure problem={found.error} onAgain={() => void found.refetch()} />}
      <ol>
        {sets.map((one) => (
          <SetOfPictures key={one.number} which={which} against={against} one={one} />
        ))}
      </ol>
      {found.hasNextPage && (
        <Button loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t("duplicates.more")}
        </Button>
      )}
    </section>
  );
}

interface SetProps {
  which: Pictures;
  against: string;
  one: DuplicateSet;
}

function SetOfPictures({ which, against, one }: SetProps) {
  const { t } = useTranslation();
  const isLeak = one.kind === "leak";
  const hidden = one.num_pictures - one.pictures.length;
  const leave = useMutation({
    mutationFn: async () => {
      const pictures = await readSet(which, one.number, against);
      if (!pictures) return refuse();
      const kept = isLeak ? undefined : one.pictures[0]?.row;
      const gone = pictures.filter(({ row }) => row !== kept);
      changeCorrections(which, (history) => correct(history, gone, null));
    },
  });
  return (
    <li className={styles.set}>
      <div className={styles.members}>
        {one.pictures.map((member, place) => (
          <Member
            key={`${member.is_other} ${member.row}`}
            which={which}
            against={against}
            member={member}
            isFirst={place === 0}
            isEqual={one.kind === "equal"}
          />
        ))}
      </div>
      <div className={styles.setFoot}>
        {one.is_contradiction && (
          <span className={styles.care}>{t("duplicates.contradiction")}</span>
        )}
        {hidden > 0 && (
          <span className="quiet number">{t("duplicates.moreInSet", { shown: hidden })}</span>
        )}
        <Button size="compact-xs" loading={leave.isPending} onClick={() => leave.mutate()}>
          {t(isLeak ? "duplicates.leaveHere" : "duplicates.leaveOthers")}
        </Button>
      </div>
      {leave.error && <RequestFailure problem={leave.error} />}
    </li>
  );
}

/** Returns all pictures of a set that lie here, also those that are not shown; null for more than can be corrected. */
async function readSet(
  which: Pictures,
  set: number,
  against: string,
): Promise<readonly ListedPicture[] | null> {
  const pictures: ListedPicture[] = [];
  for (;;) {
    const query = { set, against, offset: pictures.length, limit: PAGE };
    const { pictures: more, total } = await readImagesPage(which, query);
    pictures.push(...more);
    if (total > MOST_CORRECTIONS + 1) return null;
    if (pictures.length >= total || more.length === 0) return pictures;
  }
}

interface MemberProps {
  which: Pictures;
  against: string;
  member: SetMember;
  isFirst: boolean;
  isEqual: boolean;
}

function Member({ which, against, member, isFirst, isEqual }: MemberProps) {
  const { t } = useTranslation();
  const { node, port } = endOf(against);
  const home = member.is_other ? { run: which.run, node, port } : which;
  const correction = useCorrections(home).now[member.file];
  const distance = member.distance;
  return (
    <figure data-excluded={correction?.to === null || undefined}>
      <img
        src={thumbnailOf(home, member.row, 240)}
        alt={member.file}
        title={member.file}
        loading="lazy"
      />
      <figcaption>
        <span className={styles.fileName}>{member.file}</span>
        <span className="quiet">{member.label ?? t("data.unlabelled")}</span>
        {against !== "" && (
          <span className="quiet">
            {member.is_other ? t("duplicates.there", { where: against }) : t("duplicates.here")}
          </span>
        )}
        {!isFirst && (
          <span className="quiet number">
            {t(isEqual ? "duplicates.equalBytes" : "duplicates.bits", { count: distance })}
          </span>
        )}
        {correction && (
          <strong>
            {correction.to === null
              ? t("data.excluded")
              : t("data.becomes", { label: correction.to })}
          </strong>
        )}
      </figcaption>
    </figure>
  );
}
