-- +goose Up

-- Which tasks have an environment: one that no task has is removed.
CREATE INDEX task_environment ON task (environment) WHERE environment IS NOT NULL;

PRAGMA user_version = 2;
