/** The users, for admins: who may sign in, and what each may do. */
import { ActionIcon, Button, Select, Tooltip } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { changeRole, readUsers, removeUser } from "../api/peopleQuestions";
import type { Role, UserRow } from "../api/types";
import { ago } from "../i18n/when";
import { Icon, type IconName } from "../icons/Icon";
import { RequestFailure } from "../runs/FailureCard";
import { Confirm } from "../shell/Confirm";
import { AddUserDialog } from "./AddUserDialog";
import { NewPasswordDialog } from "./NewPasswordDialog";
import { Problem } from "./Problem";
import styles from "./people.module.css";
import { ROLES, useSession } from "./useSession";

export const USERS = ["users"];

export function UsersPage() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { data: users, error } = useQuery({ queryKey: USERS, queryFn: readUsers, staleTime: 0 });
  const [isAdding, setAdding] = useState(false);
  const [doomed, setDoomed] = useState<UserRow | null>(null);
  const [renewed, setRenewed] = useState<UserRow | null>(null);
  const again = { onSettled: () => queries.invalidateQueries({ queryKey: USERS }) };
  const setRole = useMutation({
    mutationFn: ({ name, role }: { name: string; role: Role }) => changeRole(name, role),
    ...again,
  });
  const remove = useMutation({ mutationFn: (name: string) => removeUser(name), ...again });
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1 className={styles.title}>{t("users.title")}</h1>
        <Button
          variant="filled"
          leftSection={<Icon name="add" size={14} />}
          onClick={() => setAdding(true)}
        >
          {t("users.add")}
        </Button>
      </header>
      <p className="quiet">{t("users.help")}</p>
      {error && <RequestFailure problem={error} />}
      <Problem problem={setRole.error ?? remove.error} />
      {users && (
        <table className="list">
          <thead>
            <tr>
              <th>{t("users.name")}</th>
              <th>{t("users.role")}</th>
              <th className={styles.medium}>{t("users.added")}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {users.map((user) => (
              <Row
                key={user.name}
                user={user}
                onRole={(role) => setRole.mutate({ name: user.name, role })}
                onPassword={() => setRenewed(user)}
                onRemove={() => setDoomed(user)}
              />
            ))}
          </tbody>
        </table>
      )}
      {isAdding && <AddUserDialog onClose={() => setAdding(false)} />}
      {renewed && <NewPasswordDialog name={renewed.name} onClose={() => setRenewed(null)} />}
      <Confirm
        isOpen={doomed !== null}
        title={t("users.removeTitle", { name: doomed?.name })}
        text={t("users.removeText")}
        action={t("users.removeDo")}
        onClose={() => setDoomed(null)}
        onConfirm={() => {
          if (doomed) remove.mutate(doomed.name);
          setDoomed(null);
        }}
      />
    </div>
  );
}

interface RowProps {
  user: UserRow;
  onRole: (role: Role) => void;
  onPassword: () => void;
  onRemove: () => void;
}

function Row({ user, onRole, onPassword, onRemove }: RowProps) {
  const { t } = useTranslation();
  const isMe = useSession().user === user.name;
  return (
    <tr>
      <td>
        <span className={styles.strong}>{user.name}</span>
        {isMe && <span className="quiet"> {t("users.me")}</span>}
      </td>
      <td>
        <Select
          aria-label={t("users.roleOf", { name: user.name })}
          data={ROLES.map((role) => ({ value: role, label: t(`role.${role}`) }))}
          value={user.role}
          onChange={(role) => role && role !== user.role && onRole(role as Role)}
          allowDeselect={false}
          disabled={isMe}
          w={130}
        />
      </td>
      <td className={`quiet ${styles.medium}`}>{ago(user.added)}</td>
      <td className={styles.actions}>
        <Tool icon="lock" label={t("users.password", { name: user.name })} onPress={onPassword} />
        {!isMe && (
          <Tool icon="delete" label={t("users.remove", { name: user.name })} onPress={onRemove} />
        )}
      </td>
    </tr>
  );
}

function Tool({ icon, label, onPress }: { icon: IconName; label: string; onPress: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} onClick={onPress}>
        <Icon name={icon} />
      </ActionIcon>
    </Tooltip>
  );
}
