/** Two versions of the open draft side by side: everything in which they differ, by name. */
import { Loader, Select } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { readVersion } from "../api/questions";
import type { VersionRow } from "../api/types";
import { useSurroundings } from "../canvas/surroundings";
import { titleOf } from "../graph/catalogue";
import { type Change, changesOf } from "../graph/compare";
import { findNode, type Pipeline } from "../graph/pipeline";
import { shownValue } from "../i18n/value";
import styles from "./Versions.module.css";

interface VersionCompareProps {
  draft: string;
  /** The newest first; two or more. */
  versions: readonly VersionRow[];
}

export function VersionCompare({ draft, versions }: VersionCompareProps) {
  const { t } = useTranslation();
  const [left, setLeft] = useState(String(versions[1]?.version ?? ""));
  const [right, setRight] = useState(String(versions[0]?.version ?? ""));
  const [first, second] = useQueries({
    queries: [left, right].map((version) => ({
      queryKey: ["version", draft, version],
      queryFn: () => readVersion(draft, Number(version)),
    })),
    combine: (results) => results.map((one) => one.data?.pipeline),
  });
  const choices = versions.map(({ version, label }) => ({
    value: String(version),
    label: label
      ? t("versionCompare.named", { version, name: label })
      : t("versionCompare.version", { version }),
  }));
  return (
    <section>
      <div className={styles.sides}>
        <Select
          label={t("versionCompare.left")}
          data={choices}
          value={left}
          onChange={(value) => setLeft(value ?? left)}
          allowDeselect={false}
        />
        <Select
          label={t("versionCompare.right")}
          data={choices}
          value={right}
          onChange={(value) => setRight(value ?? right)}
          allowDeselect={false}
        />
      </div>
      {first && second ? (
        <Changes left={first} right={second} names={[left, right]} />
      ) : (
        <Loader size="sm" aria-label={t("loading")} />
      )}
    </section>
  );
}

interface ChangesProps {
  left: Pipeline;
  right: Pipeline;
  names: readonly [string, string] | readonly string[];
}

function Changes({ left, right, names }: ChangesProps) {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const changes = changesOf(left, right);
  if (changes.length === 0) return <p className="quiet">{t("versionCompare.same")}</p>;
  const titleFor = (id: string) => {
    const node = findNode(right, id) ?? findNode(left, id);
    return node ? titleOf(node, catalogue) : id;
  };
  const whatOf = ({ kind, node, name }: Change) => {
    if (kind === "node") return titleFor(node);
    if (kind === "wire") return t("versionCompare.wire", { from: node, to: name });
    const component = findNode(right, node)?.component ?? "";
    const known = catalogue.components.get(component);
    const parameter = [...(known?.parameters ?? []), ...(known?.run_settings ?? [])].find(
      (one) => one.name === name,
    );
    return t("versionCompare.value", { node: titleFor(node), name: parameter?.title ?? name });
  };
  const shown = (change: Change, value: Change["left"]) => {
    if (change.kind === "value") {
      return value === undefined ? t("versionCompare.none") : shownValue(value);
    }
    return value === undefined ? t("versionCompare.notThere") : t("versionCompare.there");
  };
  return (
    <table className={styles.changes}>
      <thead>
        <tr>
          <th>{t("versionCompare.what")}</th>
          {names.map((version, at) => (
            <th key={at === 0 ? "left" : "right"}>{t("versionCompare.version", { version })}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {changes.map((change) => (
          <tr key={`${change.kind} ${change.node} ${change.name}`}>
            <th scope="row">{whatOf(change)}</th>
            <td>{shown(change, change.left)}</td>
            <td>{shown(change, change.right)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
