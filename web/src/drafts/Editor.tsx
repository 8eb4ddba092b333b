/** The view in which a pipeline is drawn: palette, canvas, panel, and the tools above them. */
import { VisuallyHidden } from "@mantine/core";
import { ReactFlowProvider } from "@xyflow/react";
import { Canvas } from "../canvas/Canvas";
import { CanvasMenu } from "../canvas/CanvasMenu";
import { ConnectTo } from "../canvas/ConnectTo";
import { KeysDialog } from "../canvas/KeysDialog";
import { Notice } from "../canvas/Notice";
import { Palette } from "../canvas/Palette";
import { QuickAdd } from "../canvas/QuickAdd";
import { Panel } from "../panel/Panel";
import { ConflictDialog } from "./ConflictDialog";
import styles from "./DraftView.module.css";
import { EditorBar } from "./EditorBar";
import { useDraft } from "./store";

export function Editor() {
  const name = useDraft(({ drawing }) => drawing.pipeline.name);
  return (
    <ReactFlowProvider>
      <div className={styles.editor}>
        <VisuallyHidden component="h1">{name}</VisuallyHidden>
        <div className={styles.bar}>
          <EditorBar />
        </div>
        <Palette />
        <div className={styles.stage}>
          <Canvas />
          <Notice />
        </div>
        <Panel />
      </div>
      <CanvasMenu />
      <QuickAdd />
      <ConnectTo />
      <KeysDialog />
      <ConflictDialog />
    </ReactFlowProvider>
  );
}
