/** Starts a run of what is drawn: all of it, up to a node, or a node made anew. */
import { ActionIcon, Button, Menu, Popover } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiFailure } from "../api/client";
import { beginRun, type RunRequest } from "../api/questions";
import { useSurroundings } from "../canvas/surroundings";
import { titleOf } from "../graph/catalogue";
import { findNode } from "../graph/pipeline";
import { fromServer } from "../i18n/fromServer";
import { Icon } from "../icons/Icon";
import { go } from "../shell/route";
import styles from "./EditorBar.module.css";
import { useDraft } from "./store";

type Part = Omit<RunRequest, "pipeline">;

export function RunButton() {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const selection = useDraft((state) => state.selection);
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<ApiFailure | null>(null);
  const [only = ""] = selection.size === 1 ? selection : [];
  const node = findNode(useDraft.getState().drawing.pipeline, only);
  const name = node ? titleOf(node, catalogue) : "";
  const start = async (part: Part) => {
    setBusy(true);
    setRefusal(null);
    try {
      const { id } = await beginRun({ pipeline: useDraft.getState().drawing.pipeline, ...part });
      go({ view: "run", id, node: "" });
    } catch (problem) {
      if (!(problem instanceof ApiFailure)) throw problem;
      setRefusal(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Popover opened={refusal !== null} onDismiss={() => setRefusal(null)} position="bottom-end">
      <Popover.Target>
        <Button.Group>
          <Button
            variant="filled"
            loading={isBusy}
            leftSection={<Icon name="running" size={14} />}
            onClick={() => start({})}
          >
            {t("bar.run")}
          </Button>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="filled" color="ink" size={30} aria-label={t("bar.more")} ml={1}>
                <Icon name="down" size={14} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => start({})}>{t("bar.runAll")}</Menu.Item>
              {node && (
                <>
                  <Menu.Item onClick={() => start({ only: [only] })}>
                    {t("bar.runTo", { name })}
                  </Menu.Item>
                  <Menu.Item onClick={() => start({ only: [only], fresh: [only] })}>
                    {t("bar.runOnly", { name })}
                  </Menu.Item>
                  <Menu.Item onClick={() => start({ start: [only] })}>
                    {t("bar.runFrom", { name })}
                  </Menu.Item>
                </>
              )}
            </Menu.Dropdown>
          </Menu>
        </Button.Group>
      </Popover.Target>
      <Popover.Dropdown>
        <div className={styles.refusal} role="alert">
          <Icon name="warning" />
          <div>
            {refusal && <p>{fromServer(refusal.error.type)}</p>}
            <p lang="en">{refusal?.message}</p>
            <p className="quiet" lang="en">
              {refusal?.error.hint}
            </p>
          </div>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
