/** Where a person begins: templates, and the pipelines that were drawn before. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useDrafts, useTemplates } from "../api/queries";
import { createDraft, createFromTemplate } from "../api/questions";
import type { Draft, Template, Whose } from "../api/types";
import { isNewer } from "../graph/drawable";
import { EMPTY, type Pipeline } from "../graph/pipeline";
import { MAX_FILE_BYTES, pipelineIn } from "../graph/pipelineFile";
import { sizeText } from "../i18n/when";
import { Icon } from "../icons/Icon";
import { useSession } from "../people/useSession";
import { WhoseChoice } from "../people/WhoseChoice";
import { go } from "../shell/route";
import { ChosenPlace } from "./ChosenPlace";
import styles from "./DraftsView.module.css";
import { DraftTable } from "./DraftTable";
import { type NewerFile, NewerFileView } from "./NewerFileView";
import { PathPicker } from "./PathPicker";

interface Chosen {
  readonly template: Template;
  readonly path: string;
  readonly upload: string | undefined;
}

export function DraftsView() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { data: templates = [], error: noTemplates } = useTemplates();
  const [whose, setWhose] = useState<Whose>("all");
  const { canEdit } = useSession();
  const { data: drafts, error: noDrafts } = useDrafts(whose);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [asking, setAsking] = useState<Template | null>(null);
  const [problem, setProblem] = useState("");
  const [isDropping, setDropping] = useState(false);
  const [newer, setNewer] = useState<NewerFile | null>(null);
  const begin = async (make: () => Promise<Draft>) => {
    try {
      const { id } = await make();
      await queries.invalidateQueries({ queryKey: ["drafts"] });
      go({ view: "pipeline", id });
    } catch (why) {
      setChosen(null); // what is said below would stand behind the dialog
      setProblem(why instanceof Error ? why.message : String(why));
    }
  };
  const choose = (template: Template) => {
    if (template.asks_for) setAsking(template);
    else void begin(() => createFromTemplate(template));
  };
  const openFile = async (file: File | undefined) => {
    if (!file) return;
    setProblem("");
    if (file.size > MAX_FILE_BYTES) {
      const [size, most] = [sizeText(file.size), sizeText(MAX_FILE_BYTES)];
      return setProblem(t("share.tooLarge", { file: file.name, size, most }));
    }
    const pipeline = pipelineIn(await file.text());
    if (pipeline && isNewer(pipeline)) setNewer({ file, content: pipeline });
    else if (pipeline) await begin(() => createDraft(pipeline));
    else setProblem(t("drafts.notAPipeline", { file: file.name }));
  };
  if (newer) return <NewerFileView {...newer} onClose={() => setNewer(null)} />;
  const Title = canEdit ? "h2" : "h1"; // a viewer begins nothing, so the list is all there is
  const error = problem || noTemplates?.message || noDrafts?.message;
  return (
    // What is dropped on a dialog is the dialog's: events pass from it to where it stands in this tree.
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keyboard has the button that opens a file */}
      <div
        className={styles.view}
        onDragEnter={() => setDropping(true)}
        onDragOver={(event) => event.preventDefault()}
        onDragLeave={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setDropping(false);
        }}
        onDrop={(event) => {
          event.preventDefault();
          setDropping(false);
          if (canEdit) void openFile(event.dataTransfer.files[0]);
        }}
      >
        {canEdit && (
          <>
            <h1 className={styles.title}>{t("drafts.begin")}</h1>
            <div className={styles.cards}>
              {templates.map((template) => (
                <Card
                  key={template.id}
                  title={template.title}
                  help={template.help}
                  onChoose={() => choose(template)}
                />
              ))}
              <Card
                title={t("drafts.empty")}
                help={t("drafts.emptyHelp")}
                onChoose={() => begin(() => createDraft({ ...EMPTY, name: t("drafts.newName") }))}
              />
            </div>
          </>
        )}
        {error && (
          <p className={styles.error} role="alert">
            <Icon name="warning" /> {error}
          </p>
        )}
        <div className={styles.heading}>
          <Title className={styles.title}>{t("drafts.title")}</Title>
          <WhoseChoice value={whose} onChange={setWhose} />
          {canEdit && (
            <label className={styles.file} data-dropping={isDropping || undefined}>
              <Icon name="file" />
              {t(isDropping ? "share.drop" : "drafts.openFile")}
              <input
                type="file"
                accept=".json,application/json"
                onChange={(event) => {
                  void openFile(event.target.files?.[0]);
                  event.target.value = "";
                }}
              />
            </label>
          )}
        </div>
        {drafts && <DraftTable drafts={drafts} isAll={whose === "all"} onProblem={setProblem} />}
      </div>
      {asking && (
        <PathPicker
          onClose={() => setAsking(null)}
          onTake={(path, upload) => {
            setChosen({ template: asking, path, upload });
            setAsking(null);
          }}
        />
      )}
      {chosen && (
        <ChosenPlace
          path={chosen.path}
          upload={chosen.upload}
          onClose={() => setChosen(null)}
          onOther={() => {
            setAsking(chosen.template);
            setChosen(null);
          }}
          onOpen={() => begin(() => createDraft(withPath(chosen.template, chosen.path)))}
        />
      )}
    </>
  );
}

function Card({ title, help, onChoose }: { title: string; help: string; onChoose: () => void }) {
  return (
    <button type="button" className={styles.card} onClick={onChoose}>
      <span className={styles.cardTitle}>{title}</span>
      <span className="quiet">{help}</span>
    </button>
  );
}

/** Returns the template's pipeline, its pictures taken from that place. */
function withPath(template: Template, path: string): Pipeline {
  const nodes = template.pipeline.nodes.map((node) =>
    node.id === template.asks_for ? { ...node, params: { ...node.params, path } } : node,
  );
  return { ...template.pipeline, nodes };
}
