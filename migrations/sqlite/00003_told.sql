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

-- first_place, last_place: the lowest and the highest place that a task of it was given
--             by hand, or 0. New tasks get the highest, so that they come last
ALTER TABLE job ADD COLUMN first_place INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_first_place CHECK (first_place <= 0);
ALTER TABLE job ADD COLUMN last_place INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_last_place CHECK (last_place >= 0);

-- The jobs with failures that count, for status. Nothing is written to it while all
-- goes well.
CREATE INDEX job_failed ON job (updated_at) WHERE failed > 0;

PRAGMA user_version = 3;
