/** Adds a user, with a first password that they change themselves. */
import { Radio, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { addUser } from "../api/peopleQuestions";
import type { Role } from "../api/types";
import { FormDialog } from "./FormDialog";
import { NewPasswordField } from "./NewPasswordField";
import { USERS } from "./UsersPage";
import { ROLES } from "./useSession";

export function AddUserDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("editor");
  const [password, setPassword] = useState("");
  const add = useMutation({
    mutationFn: () => addUser({ name: name.trim(), role, password }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: USERS });
      onClose();
    },
  });
  return (
    <FormDialog title={t("users.add")} action={t("users.addDo")} sending={add} onClose={onClose}>
      <Stack gap="md">
        <TextInput
          label={t("users.name")}
          description={t("users.nameHelp")}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          data-autofocus
          required
          withAsterisk={false}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Radio.Group
          label={t("users.role")}
          value={role}
          onChange={(value) => setRole(value as Role)}
        >
          <Stack gap="xs" mt="xs">
            {ROLES.map((one) => (
              <Radio
                key={one}
                size="xs"
                value={one}
                label={t(`role.${one}`)}
                description={t(`roleHelp.${one}`)}
              />
            ))}
          </Stack>
        </Radio.Group>
        <NewPasswordField value={password} onChange={setPassword} />
      </Stack>
    </FormDialog>
  );
}
