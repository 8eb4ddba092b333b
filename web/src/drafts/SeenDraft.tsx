/** A pipeline of somebody else, to look at; whoever may draws on a copy. */
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { createDraft } from "../api/questions";
import type { Ownership } from "../api/types";
import { Icon } from "../icons/Icon";
import { Problem } from "../people/Problem";
import { useSession } from "../people/useSession";
import { go } from "../shell/route";
import styles from "./DraftView.module.css";
import { SeenPipeline } from "./SeenPipeline";
import { useDraft } from "./store";

export function SeenDraft({ ownership }: { ownership: Ownership }) {
  const { t } = useTranslation();
  const { canEdit } = useSession();
  const pipeline = useDraft(({ drawing }) => drawing.pipeline);
  const copy = useMutation({
    mutationFn: () =>
      createDraft({ ...pipeline, name: t("seen.copyName", { name: pipeline.name }) }),
    onSuccess: ({ id }) => go({ view: "pipeline", id }),
  });
  return (
    <SeenPipeline
      pipeline={pipeline}
      note={
        <span className={`quiet ${styles.seenWhose}`}>
          {t("seen.only", { who: ownership.owner || t("sharing.machine") })}
        </span>
      }
    >
      <Problem problem={copy.error} />
      {canEdit && (
        <Button
          leftSection={<Icon name="copy" size={14} />}
          loading={copy.isPending}
          onClick={() => copy.mutate()}
        >
          {t("seen.copy")}
        </Button>
      )}
    </SeenPipeline>
  );
}
