/** How many pictures of each class a model was trained and validated on. */
import { useTranslation } from "react-i18next";
import type { ModelCard } from "../api/types";
import { numberIn } from "../i18n/numbers";
import styles from "./results.module.css";

const SHOWN = 50;

export function SeenClasses({ model }: { model: ModelCard }) {
  const { t } = useTranslation();
  const { training, validation } = model.data;
  const roles = [training, validation];
  const rows = model.classes.slice(0, SHOWN);
  const more = model.num_classes - rows.length;
  return (
    <div className={styles.scroll}>
      <table className={`table ${styles.classes}`}>
        <thead>
          <tr>
            <th>{t("model.class")}</th>
            <th className="right">{t("model.training")}</th>
            <th className="right">{t("model.validationSet")}</th>
          </tr>
        </thead>
        <tbody>
          <Row name={t("model.all")} counts={roles.map((facts) => facts?.images)} />
          {rows.map((name) => (
            <Row
              key={name}
              name={name}
              counts={roles.map((facts) => facts?.images_per_class?.[name])}
            />
          ))}
        </tbody>
      </table>
      {more > 0 && <p className="quiet">{t("model.moreClasses", { count: more })}</p>}
    </div>
  );
}

function Row({ name, counts }: { name: string; counts: readonly (number | undefined)[] }) {
  const [training, validation] = counts.map((one) => (one === undefined ? "–" : numberIn(one)));
  return (
    <tr>
      <td>{name}</td>
      <td className="right number">{training}</td>
      <td className="right number">{validation}</td>
    </tr>
  );
}
