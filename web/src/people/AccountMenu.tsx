/** Who is signed in, and what is theirs alone: the recycle bin, their password, the way out. */
import { Button, Menu } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { signOut } from "../api/peopleQuestions";
import { Icon, type IconName } from "../icons/Icon";
import { go, type Route } from "../shell/route";
import { OwnPasswordDialog } from "./OwnPasswordDialog";
import styles from "./people.module.css";
import { useSession } from "./useSession";

export function AccountMenu() {
  const { t } = useTranslation();
  const { user, role, canEdit } = useSession();
  const [isChanging, setChanging] = useState(false);
  const leave = async () => {
    await signOut().catch(() => {}); // a session that has ended already is as good
    window.location.assign("/");
  };
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            variant="subtle"
            color="gray"
            aria-label={t("account.label", { user, role: t(`role.${role}`) })}
            rightSection={<Icon name="down" size={14} />}
          >
            <span className={styles.accountName}>{user}</span>
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t("account.label", { user, role: t(`role.${role}`) })}</Menu.Label>
          {canEdit && (
            <To icon="delete" to={{ view: "bin" }}>
              {t("bin.title")}
            </To>
          )}
          {role === "admin" && (
            <>
              <To icon="people" to={{ view: "users" }}>
                {t("users.title")}
              </To>
              <To icon="log" to={{ view: "activity" }}>
                {t("activity.title")}
              </To>
            </>
          )}
          <Menu.Item leftSection={<Icon name="lock" />} onClick={() => setChanging(true)}>
            {t("account.password")}
          </Menu.Item>
          <Menu.Item leftSection={<Icon name="external" />} onClick={leave}>
            {t("account.signOut")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {isChanging && <OwnPasswordDialog onClose={() => setChanging(false)} />}
    </>
  );
}

function To({ icon, to, children }: { icon: IconName; to: Route; children: ReactNode }) {
  return (
    <Menu.Item leftSection={<Icon name={icon} />} onClick={() => go(to)}>
      {children}
    </Menu.Item>
  );
}
