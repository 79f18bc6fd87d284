package main

import (
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

// ownManagerLog opens the log of a manager inside this process, which is about to start.
func (ws *workspace) ownManagerLog() (queue.ManagerLog, error) {
	conf, err := ws.config()
	if err != nil {
		return queue.ManagerLog{}, err
	}
	ws.noteLink(conf)
	file, err := openManagerLog(conf)
	if err != nil {
		return queue.ManagerLog{}, err
	}
	process.OwnSlack(runner.Slack)
	keeper := startKeeper(conf, file, nil)
	return queue.ManagerLog{
		Log: newLogger(newSink(file), conf.LogLevel, conf.LogFormat), File: file,
		Close: func() {
			keeper.close()
			file.Close()
		},
	}, nil
}
