#define _GNU_SOURCE
#include "dia_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int dia_spawn(const char *path, char *const arguments[], char *const environment[], int standard_input, pid_t *process) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int result = posix_spawn_file_actions_init(&actions);
    if (result != 0) return result;
    result = posix_spawnattr_init(&attributes);
    if (result == 0) {
        result = posix_spawn_file_actions_adddup2(&actions, standard_input, 0);
        if (result == 0) result = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        if (result == 0) result = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        if (result == 0) result = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
        if (result == 0) result = posix_spawnattr_setsigmask(&attributes, &none);
        if (result == 0) result = posix_spawnattr_setsigdefault(&attributes, &all);
        if (result == 0) result = posix_spawnattr_setpgroup(&attributes, 0);
        short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
        if (result == 0) result = posix_spawnattr_setflags(&attributes, flags);
        if (result == 0) result = posix_spawn(process, path, &actions, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

pid_t dia_fork(void) { return fork(); }

int dia_memory_file(void) { return memfd_create("dicom", MFD_CLOEXEC); }

/* A control message with room for one descriptor, aligned as the macros need it. */
typedef union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
} control;

int dia_send_descriptor(int socket, const void *bytes, size_t size, int descriptor) {
    control with;
    memset(&with, 0, sizeof with);
    struct iovec part = {(void *)bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = with.bytes,
                             .msg_controllen = sizeof with.bytes};
    with.header.cmsg_level = SOL_SOCKET;
    with.header.cmsg_type = SCM_RIGHTS;
    with.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&with.header), &descriptor, sizeof descriptor);
    ssize_t sent;
    do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent == -1 && errno == EINTR);
    if (sent == -1) return -1;
    if ((size_t)sent == size) return 0;
    errno = EMSGSIZE;
    return -1;
}

int dia_receive_descriptor(int socket, void *bytes, size_t size, int *descriptor) {
    control with;
    memset(&with, 0, sizeof with);
    struct iovec part = {bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = with.bytes,
                             .msg_controllen = sizeof with.bytes};
    ssize_t received;
    do received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
    while (received == -1 && errno == EINTR);
    if (received == 0) return 0;
    if (received < 0 || (size_t)received != size) return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS
        || header->cmsg_len != CMSG_LEN(sizeof(int)))
        return -1;
    memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
    return 1;
}

int dia_wait_for_end(pid_t process, int milliseconds, int *is_signal, int *code) {
    for (int waited = 0;; waited++) {
        siginfo_t info;
        memset(&info, 0, sizeof info);
        if (waitid(P_PID, (id_t)process, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == process) {
            *is_signal = info.si_code != CLD_EXITED;
            *code = info.si_status;
            return 1;
        }
        if (waited >= milliseconds) return 0;
        poll(NULL, 0, 1);
    }
}

static int limit(int resource, rlim_t value) {
    struct rlimit current;
    if (getrlimit(resource, &current) != 0) return -1;
    if (current.rlim_max != RLIM_INFINITY && value > current.rlim_max) value = current.rlim_max;
    struct rlimit both = {value, value};
    return setrlimit(resource, &both);
}

int dia_restrict(const dia_limits *limits) {
    if (limit(RLIMIT_AS, limits->address_space) != 0 || limit(RLIMIT_CORE, 0) != 0 || limit(RLIMIT_FSIZE, 0) != 0
        || limit(RLIMIT_NPROC, 0) != 0 || limit(RLIMIT_NOFILE, limits->open_files) != 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return -1;
    return 0;
}

int dia_limit_processor_time(uint64_t seconds) {
    struct rusage usage;
    struct rlimit current;
    if (getrusage(RUSAGE_SELF, &usage) != 0 || getrlimit(RLIMIT_CPU, &current) != 0) return -1;
    /* The limit counts whole seconds since the start of the process. Only the soft one is set, so that it can be raised. */
    rlim_t wanted = (rlim_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + seconds + 1;
    current.rlim_cur = wanted < current.rlim_max ? wanted : current.rlim_max;
    return setrlimit(RLIMIT_CPU, &current);
}
