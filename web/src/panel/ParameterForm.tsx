/** The parameters of a node as a form, section by section; what does not matter now is left out. */
import { useTranslation } from "react-i18next";
import { type Component, isShown, type Parameter } from "../graph/catalogue";
import type { GraphNode } from "../graph/pipeline";
import styles from "./Panel.module.css";
import { ParameterField } from "./ParameterField";

interface ParameterFormProps {
  node: GraphNode;
  component: Component;
  isReadOnly: boolean;
}

export function ParameterForm({ node, component, isReadOnly }: ParameterFormProps) {
  const { t } = useTranslation();
  if (component.parameters.length === 0) return <p className="quiet">{t("panel.noParameters")}</p>;
  const shown = component.parameters.filter((one) => isShown(one, node, component));
  const unknown = Object.keys(node.params ?? {}).filter(
    (name) => !component.parameters.some((one) => one.name === name),
  );
  return (
    <>
      {sections(shown).map(([section, parameters]) => (
        <section key={section} className={styles.section}>
          {section && <h3 className={styles.sectionTitle}>{section}</h3>}
          {parameters.map((parameter) => (
            <ParameterField
              key={parameter.name}
              node={node}
              group="params"
              parameter={parameter}
              isReadOnly={isReadOnly}
            />
          ))}
        </section>
      ))}
      {unknown.length > 0 && (
        <p className="quiet">
          {t("panel.unknownParameters")} {unknown.join(", ")}
        </p>
      )}
    </>
  );
}

function sections(parameters: readonly Parameter[]): [string, Parameter[]][] {
  const found = new Map<string, Parameter[]>();
  for (const one of parameters) found.set(one.section, [...(found.get(one.section) ?? []), one]);
  return [...found];
}
