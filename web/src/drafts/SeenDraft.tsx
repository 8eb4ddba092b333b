/** A pipeline of somebody else, to look at: nothing in it can be changed, and whoever may draws on a copy. */
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { ReactFlowProvider } from "@xyflow/react";
import { useTranslation } from "react-i18next";
import { createDraft } from "../api/questions";
import type { Ownership } from "../api/types";
import { SeenGraph } from "../canvas/SeenGraph";
import { findNode } from "../graph/pipeline";
import { Icon } from "../icons/Icon";
import { NodePanel } from "../panel/NodePanel";
import panel from "../panel/Panel.module.css";
import { Problem } from "../people/Problem";
import { useSession } from "../people/useSession";
import { go } from "../shell/route";
import styles from "./DraftView.module.css";
import bar from "./EditorBar.module.css";
import { select, useDraft } from "./store";

export function SeenDraft({ ownership }: { ownership: Ownership }) {
  const { t } = useTranslation();
  const { canEdit } = useSession();
  const pipeline = useDraft(({ drawing }) => drawing.pipeline);
  const [chosen = ""] = useDraft((state) => state.selection);
  const node = findNode(pipeline, chosen);
  const copy = useMutation({
    mutationFn: () =>
      createDraft({ ...pipeline, name: t("seen.copyName", { name: pipeline.name }) }),
    onSuccess: ({ id }) => go({ view: "pipeline", id }),
  });
  return (
    <ReactFlowProvider>
      <div className={`${styles.editor} ${styles.seen}`}>
        <div className={styles.bar}>
          <div className={bar.bar}>
            <h1 className={styles.seenName}>{pipeline.name}</h1>
            <span className={`quiet ${styles.seenWhose}`}>
              {t("seen.only", { who: ownership.owner || t("sharing.machine") })}
            </span>
            <Problem problem={copy.error} />
            {canEdit && (
              <Button
                className={styles.copy}
                leftSection={<Icon name="copy" size={14} />}
                loading={copy.isPending}
                onClick={() => copy.mutate()}
              >
                {t("seen.copy")}
              </Button>
            )}
          </div>
        </div>
        <div className={styles.stage}>
          <SeenGraph pipeline={pipeline} chosen={chosen} onChoose={(id) => select([id])} />
        </div>
        <aside className={panel.panel} aria-label={t("panel.label")}>
          {node ? (
            <NodePanel key={node.id} node={node} />
          ) : (
            <p className="quiet">{String(pipeline.description ?? "") || t("run.choose")}</p>
          )}
        </aside>
      </div>
    </ReactFlowProvider>
  );
}
