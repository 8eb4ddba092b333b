/** A pipeline that a newer version wrote: what this one understands of it, to look at and to save as it is. */

import { Button, Loader } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useCatalogue } from "../api/queries";
import { SurroundingsProvider } from "../canvas/surroundings";
import { drawable } from "../graph/drawable";
import { placed } from "../graph/layout";
import type { Pipeline } from "../graph/pipeline";
import { Icon } from "../icons/Icon";
import styles from "./DraftView.module.css";
import { SeenPipeline } from "./SeenPipeline";

interface NewerPipelineProps {
  content: Pipeline;
  /** Where its file can be saved from, byte for byte. */
  file: string;
  /** What the saved file is called. */
  fileName: string;
  onClose: () => void;
}

export function NewerPipeline({ content, file, fileName, onClose }: NewerPipelineProps) {
  const { t } = useTranslation();
  const { data: catalogue } = useCatalogue();
  if (!catalogue) return <Loader size="sm" m="lg" aria-label={t("loading")} />;
  return (
    <SurroundingsProvider value={{ catalogue, isReadOnly: true }}>
      <SeenPipeline
        pipeline={placed(drawable(content))}
        note={
          <span className={styles.newer} role="status">
            <Icon name="warning" size={14} /> <span>{t("seen.newer")}</span>
          </span>
        }
      >
        <Button
          component="a"
          href={file}
          download={fileName}
          leftSection={<Icon name="download" size={14} />}
        >
          {t("seen.saveFile")}
        </Button>
        <Button onClick={onClose}>{t("drafts.back")}</Button>
      </SeenPipeline>
    </SurroundingsProvider>
  );
}
