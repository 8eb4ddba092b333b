/** The view in which a pipeline is drawn: palette, canvas, panel, and the tools above them. */
import { ReactFlowProvider } from "@xyflow/react";
import { Canvas } from "../canvas/Canvas";
import { ConnectTo } from "../canvas/ConnectTo";
import { KeysDialog } from "../canvas/KeysDialog";
import { Notice } from "../canvas/Notice";
import { Palette } from "../canvas/Palette";
import { QuickAdd } from "../canvas/QuickAdd";
import { Panel } from "../panel/Panel";
import { ConflictDialog } from "./ConflictDialog";
import styles from "./DraftView.module.css";
import { EditorBar } from "./EditorBar";

export function Editor() {
  return (
    <ReactFlowProvider>
      <div className={styles.editor}>
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
      <QuickAdd />
      <ConnectTo />
      <KeysDialog />
      <ConflictDialog />
    </ReactFlowProvider>
  );
}
