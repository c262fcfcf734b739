/* System calls of the decoding process that Swift does not import: fork, and messages with a descriptor. */
#ifndef DIA_WORKER_H
#define DIA_WORKER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* fork(2). The caller must have a single thread. */
pid_t dia_fork(void);

/*
 * Starts a program in a process group of its own, with a descriptor as its standard input and /dev/null as its other
 * standard streams: messages of the libraries could contain values of attributes. No other descriptor is open in it.
 * Returns 0, or an error number.
 */
int dia_spawn(const char *path, char *const arguments[], char *const environment[], int standard_input, pid_t *process);

/* An empty file in memory (memfd_create), closed on exec. Returns its descriptor, or -1 with errno. */
int dia_memory_file(void);

/* Sends `size` bytes, at least one, with a descriptor. Returns 0, or -1 with errno. No SIGPIPE is raised. */
int dia_send_descriptor(int socket, const void *bytes, size_t size, int descriptor);

/*
 * Receives a message of exactly `size` bytes and a descriptor. Returns 1; 0 at the end of the stream; or -1, also if the
 * message has another size or no descriptor.
 */
int dia_receive_descriptor(int socket, void *bytes, size_t size, int *descriptor);

/*
 * Waits up to `milliseconds` for a child process to end, without releasing its id. Returns 1 if it has ended, with a
 * signal (`is_signal`) or an exit status in `code`, and 0 if it still runs.
 */
int dia_wait_for_end(pid_t process, int milliseconds, int *is_signal, int *code);

/* The limits of a process that decodes a file. */
typedef struct {
    uint64_t address_space; /* bytes */
    uint64_t open_files;
} dia_limits;

/*
 * Restricts this process for the rest of its life: memory, no files can be written and no processes created, no core
 * dump, no new privileges, and it ends with its parent. Returns 0, or -1 with errno.
 */
int dia_restrict(const dia_limits *limits);

/* Limits the processor time from now on to `seconds`; SIGXCPU then ends the process. Returns 0, or -1. */
int dia_limit_processor_time(uint64_t seconds);

#ifdef __cplusplus
}
#endif

#endif
