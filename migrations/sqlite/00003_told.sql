-- What a task reads, and what its priority was before it waited.
--
-- +goose Up

-- late: by how much priority is lower than what was asked for, as the task was queued
--       late: see aging. What was asked for is priority + late
ALTER TABLE task ADD COLUMN late INTEGER NOT NULL DEFAULT 0;

-- What the command reads from its standard input. No row: nothing.
CREATE TABLE task_input (
    task INTEGER NOT NULL CONSTRAINT task_input_task REFERENCES task,
    stdin BLOB NOT NULL,
    CONSTRAINT task_input_place PRIMARY KEY (task)
) STRICT;

PRAGMA user_version = 3;
