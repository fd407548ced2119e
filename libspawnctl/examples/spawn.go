// SPDX-License-Identifier: MIT

// spawn PROGRAM [ARGUMENT...]: runs it with descriptors 0, 1 and 2 and ends as it ends.
//
// The C interface without cgo: gccgo spawn.go -lspawnctl. With cgo, include <spawnctl/spawnctl.h> and write
// C.spawnctl_plan_new and so on; the types are the same.
package main

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

type plan struct{}
type process struct{}

// struct spawnctl_failure
type failure struct {
	errno    int32
	stage    int32
	index    uint32
	signal   int32
	detail   *byte
	reserved [3]uint64
}

// struct spawnctl_status
type status struct {
	code, signal, coreDumped, reserved int32
	userUs, systemUs, maxResidentKib   uint64
	reserved2                          [2]uint64
}

//extern spawnctl_plan_new
func planNew(program *byte) *plan

//extern spawnctl_plan_arg
func planArg(p *plan, value *byte) int32

//extern spawnctl_plan_pass_stdio
func planPassStdio(p *plan) int32

//extern spawnctl_plan_free
func planFree(p *plan)

//extern spawnctl_spawn
func spawnPlan(p *plan, child **process, why *failure) int32

//extern spawnctl_process_wait
func processWait(child *process, ended *status) int32

//extern spawnctl_process_free
func processFree(child *process)

//extern spawnctl_failure_message
func failureMessage(why *failure, text *byte, size uintptr) int32

func cString(text string) *byte {
	bytes, err := syscall.BytePtrFromString(text)
	if err != nil {
		panic(err)
	}
	return bytes
}

func message(why *failure) string {
	var text [256]byte
	length := failureMessage(why, &text[0], unsafe.Sizeof(text))
	return string(text[:length])
}

func run(words []string) int {
	var child *process
	var why failure
	var ended status

	p := planNew(cString(words[0]))
	defer planFree(p)
	planPassStdio(p)
	for _, word := range words[1:] {
		planArg(p, cString(word))
	}
	if spawnPlan(p, &child, &why) < 0 {
		fmt.Fprintf(os.Stderr, "%s: %s\n", words[0], message(&why))
		return 127
	}
	defer processFree(child)
	if processWait(child, &ended) < 0 {
		return 1
	}
	if ended.signal != 0 {
		return 128 + int(ended.signal)
	}
	return int(ended.code)
}

func main() {
	os.Exit(run(os.Args[1:]))
}
