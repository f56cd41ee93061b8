/*
 * A file system that fails: preloaded into a program, it sees each call that changes a file below one folder, and lets
 * it through, makes it fail, cuts it short, or kills the program there. It can keep a journal of what was done, from
 * which a test builds what a power cut would have left.
 *
 * How: a seccomp filter turns the calls into SIGSYS, and the handler carries them out itself. So it does not matter
 * whether a call comes from the C library or straight from the program (rustix does that), nor from which thread. A call
 * of our own carries COOKIE as its sixth argument, which none of these calls has, and which the filter lets pass. Programs
 * that are started from here inherit filter and library.
 *
 * Settings, by environment:
 *   FAULTS_ROOT     the folder; calls elsewhere are left alone
 *   FAULTS_STATE    a file that all processes share: 16 bytes, a lock and how many calls were counted; then a byte for
 *                   each call, what it did
 *   FAULTS_PROGRAM  calls are counted, and fail, only in programs whose name begins so
 *   FAULTS_AT       the number of the call, from 1; 0: none
 *   FAULTS_DO       "kill": the process group dies instead of it; "tear": half of a write is done, then it dies (other
 *                   calls are let through); "short": half of a write is done, and that is what it answers; "fail": it
 *                   fails
 *   FAULTS_ERRNO    with what it fails
 *   FAULTS_STAY     1: everything from there on fails, except what frees space
 *   FAULTS_JOURNAL  a file, which is there, to append the journal to; see the reader in tests/cli/faults for its form
 *   FAULTS_STATS    a file of inode numbers and the identities that they are to show; see there
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#define COOKIE 0x6d6c6661756c7473 /* "mlfaults" */
#define PATH 4200

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define RESULT(c) (c)->uc_mcontext.gregs[REG_RAX]
static void arguments(ucontext_t *c, long *a) {
    greg_t *r = c->uc_mcontext.gregs;
    a[0] = r[REG_RDI], a[1] = r[REG_RSI], a[2] = r[REG_RDX], a[3] = r[REG_R10], a[4] = r[REG_R8];
}
static long raw(long n, long a, long b, long c, long d, long e) {
    long result;
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = COOKIE;
    __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#define RESULT(c) (c)->uc_mcontext.regs[0]
static void arguments(ucontext_t *c, long *a) {
    for (int i = 0; i < 5; i++) a[i] = (long)c->uc_mcontext.regs[i];
}
static long raw(long n, long a, long b, long c, long d, long e) {
    register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
                  x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = COOKIE;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}
#else
#error "this machine's registers are not known here"
#endif

/* What a call does, as the journal names it. */
enum { CREATE = 1, WRITE, RENAME, LINK, UNLINK, MKDIR, RMDIR, TRUNCATE, SYNC, OTHER, SYMLINK, SYNC_ALL, UNNAMED };

struct call {
    int what;        /* one of the above; 0: nothing that is ours */
    int fd;          /* the file, for calls by descriptor; else -1 */
    int frees;       /* it needs no room on the disk */
    char path[PATH]; /* the file or folder */
    char to[PATH];   /* the new name; the target of a symbolic link */
};

/* Before each record's paths and bytes. */
struct record {
    uint32_t what, path, to, bytes;
    uint64_t inode;
    int64_t offset; /* or the new length */
    int64_t modified[2], changed[2]; /* afterwards: seconds, nanoseconds */
};

struct shared {
    int lock;
    int count;
    int done; /* the fault has happened */
    int unused;
};

static struct {
    char root[PATH], program[32];
    size_t root_length;
    int at, act, error, stay, ours, journal;
    struct shared *shared;
    unsigned char *kinds;
    size_t kinds_count;
    const struct identity *stats;
    size_t stats_count;
} settings = {.journal = -1};

/* What a file is to show as. */
struct identity {
    uint64_t inode, shown;
    int64_t seconds, nanoseconds;
};

static size_t length_of(const char *text) { return text ? strlen(text) : 0; }

static void join(char *into, const char *folder, const char *name) {
    size_t f = length_of(folder), n = length_of(name);
    if (f + n + 2 > PATH) { into[0] = 0; return; }
    memcpy(into, folder, f);
    into[f] = '/';
    memcpy(into + f + 1, name, n + 1);
}

/* Where the descriptor leads; the folder that the process is in for AT_FDCWD. */
static void path_of(int fd, char *into) {
    char link[40] = "/proc/self/cwd";
    if (fd >= 0) {
        char digits[12];
        int at = 11;
        digits[at] = 0;
        do digits[--at] = (char)('0' + fd % 10), fd /= 10; while (fd);
        strcpy(link, "/proc/self/fd/");
        strcat(link, digits + at);
    }
    long n = raw(SYS_readlinkat, AT_FDCWD, (long)link, (long)into, PATH - 1, 0);
    into[n > 0 ? n : 0] = 0;
}

static void resolve(int folder, const char *path, char *into) {
    char base[PATH];
    if (!path || !*path) { into[0] = 0; return; }
    if (*path == '/') {
        if (strlen(path) < PATH) strcpy(into, path); else into[0] = 0;
        return;
    }
    path_of(folder, base);
    while (path[0] == '.' && path[1] == '/') path += 2;
    join(into, base, path);
}

static int is_below(const char *path) {
    size_t n = settings.root_length;
    return n && !strncmp(path, settings.root, n) && (path[n] == '/' || path[n] == 0);
}

static int is_there(const char *path, struct stat *found) {
    return raw(SYS_newfstatat, AT_FDCWD, (long)path, (long)found, AT_SYMLINK_NOFOLLOW, 0) == 0;
}

static void named(struct call *call, int what, int folder, long path) {
    call->what = what;
    resolve(folder, (const char *)path, call->path);
}

static void by_descriptor(struct call *call, int what, long fd) {
    call->what = what, call->fd = (int)fd;
    path_of((int)fd, call->path);
}

static void opening(struct call *call, int folder, long path, long flags) {
    struct stat found;
    named(call, OTHER, folder, path);
    int there = is_there(call->path, &found);
    if ((flags & O_TMPFILE) == O_TMPFILE) call->what = UNNAMED;
    else if (!there && (flags & O_CREAT)) call->what = CREATE;
    else if (there && (flags & O_TRUNC)) call->what = TRUNCATE;
    else call->what = 0;
}

static void understand(long n, const long *a, struct call *call) {
    call->what = 0, call->fd = -1, call->frees = 0, call->path[0] = call->to[0] = 0;
    switch (n) {
#ifdef SYS_open
    case SYS_open: opening(call, AT_FDCWD, a[0], a[1]); break;
    case SYS_creat: opening(call, AT_FDCWD, a[0], O_CREAT | O_TRUNC); break;
    case SYS_rename: named(call, RENAME, AT_FDCWD, a[0]), resolve(AT_FDCWD, (char *)a[1], call->to); break;
    case SYS_link: named(call, LINK, AT_FDCWD, a[0]), resolve(AT_FDCWD, (char *)a[1], call->to); break;
    case SYS_unlink: named(call, UNLINK, AT_FDCWD, a[0]), call->frees = 1; break;
    case SYS_mkdir: named(call, MKDIR, AT_FDCWD, a[0]); break;
    case SYS_rmdir: named(call, RMDIR, AT_FDCWD, a[0]), call->frees = 1; break;
    case SYS_chmod: named(call, OTHER, AT_FDCWD, a[0]), call->frees = 1; break;
    case SYS_symlink:
        named(call, SYMLINK, AT_FDCWD, a[1]);
        if (strlen((char *)a[0]) < PATH) strcpy(call->to, (char *)a[0]);
        break;
#endif
    case SYS_openat: opening(call, (int)a[0], a[1], a[2]); break;
#ifdef SYS_renameat
    case SYS_renameat:
#endif
    case SYS_renameat2: named(call, RENAME, (int)a[0], a[1]), resolve((int)a[2], (char *)a[3], call->to); break;
    case SYS_linkat: named(call, LINK, (int)a[0], a[1]), resolve((int)a[2], (char *)a[3], call->to); break;
    case SYS_unlinkat:
        named(call, a[2] & AT_REMOVEDIR ? RMDIR : UNLINK, (int)a[0], a[1]), call->frees = 1;
        break;
    case SYS_mkdirat: named(call, MKDIR, (int)a[0], a[1]); break;
    case SYS_fchmodat: named(call, OTHER, (int)a[0], a[1]), call->frees = 1; break;
    case SYS_symlinkat:
        named(call, SYMLINK, (int)a[1], a[2]);
        if (strlen((char *)a[0]) < PATH) strcpy(call->to, (char *)a[0]);
        break;
    case SYS_utimensat:
        if (a[1]) named(call, OTHER, (int)a[0], a[1]); else by_descriptor(call, OTHER, a[0]);
        call->frees = 1;
        break;
    case SYS_write: case SYS_pwrite64: case SYS_writev: case SYS_pwritev: by_descriptor(call, WRITE, a[0]); break;
    case SYS_ftruncate: by_descriptor(call, TRUNCATE, a[0]), call->frees = 1; break;
    case SYS_fsync: case SYS_fdatasync: by_descriptor(call, SYNC, a[0]); break;
    case SYS_syncfs: by_descriptor(call, SYNC_ALL, a[0]); break;
    case SYS_fchmod: by_descriptor(call, OTHER, a[0]), call->frees = 1; break;
    }
    if (call->what && !is_below(call->path) && !(call->what != SYMLINK && is_below(call->to))) call->what = 0;
}

static void lock(void) {
    if (!settings.shared) return;
    while (__atomic_exchange_n(&settings.shared->lock, 1, __ATOMIC_ACQUIRE)) raw(SYS_sched_yield, 0, 0, 0, 0, 0);
}

static void unlock(void) {
    if (settings.shared) __atomic_store_n(&settings.shared->lock, 0, __ATOMIC_RELEASE);
}

static void die(void) {
    raw(SYS_kill, 0, SIGKILL, 0, 0, 0);
    for (;;) raw(SYS_exit_group, 137, 0, 0, 0, 0);
}

static int64_t offset_of(long n, const long *a) {
    struct stat found;
    if (n == SYS_pwrite64 || n == SYS_pwritev) return a[3];
    if (raw(SYS_fcntl, a[0], F_GETFL, 0, 0, 0) & O_APPEND)
        return raw(SYS_fstat, a[0], (long)&found, 0, 0, 0) == 0 ? found.st_size : 0;
    return raw(SYS_lseek, a[0], 0, SEEK_CUR, 0, 0);
}

/* What the call was about, as it is after it. */
static void look(const struct call *call, long result, struct record *record) {
    struct stat found;
    int fd = call->what == CREATE || call->what == UNNAMED ? (int)result : call->fd;
    const char *path = call->what == RENAME || call->what == LINK ? call->to : call->path;
    if (fd >= 0 ? raw(SYS_fstat, fd, (long)&found, 0, 0, 0) != 0 : !is_there(path, &found)) return;
    record->inode = found.st_ino;
    record->modified[0] = found.st_mtim.tv_sec, record->modified[1] = found.st_mtim.tv_nsec;
    record->changed[0] = found.st_ctim.tv_sec, record->changed[1] = found.st_ctim.tv_nsec;
}

static void note(const struct call *call, long n, const long *a, int64_t offset, long result) {
    struct record record = {.what = (uint32_t)call->what, .path = (uint32_t)strlen(call->path),
                            .to = (uint32_t)strlen(call->to), .offset = offset};
    struct iovec parts[5] = {{&record, sizeof record}, {(void *)call->path, record.path}, {(void *)call->to, record.to}};
    struct iovec one = {(void *)a[1], (size_t)result};
    int is_vector = n == SYS_writev || n == SYS_pwritev;
    const struct iovec *from = is_vector ? (const struct iovec *)a[1] : &one;
    if (call->what == WRITE) record.bytes = (uint32_t)result;
    look(call, result, &record);
    raw(SYS_writev, settings.journal, (long)parts, 3, 0, 0);
    for (size_t left = record.bytes; left; from++) {
        size_t some = from->iov_len < left ? from->iov_len : left;
        raw(SYS_write, settings.journal, (long)from->iov_base, (long)some, 0, 0);
        left -= some;
    }
}

/* Half of a write. */
static long half(long n, const long *a) {
    if (n == SYS_writev || n == SYS_pwritev) {
        const struct iovec *first = (const struct iovec *)a[1];
        return raw(n == SYS_writev ? SYS_write : SYS_pwrite64, a[0], (long)first->iov_base, (long)first->iov_len / 2,
                   n == SYS_writev ? 0 : a[3], 0);
    }
    return raw(n, a[0], a[1], a[2] / 2, a[3], 0);
}

static long carry_out(long n, const long *a, struct call *call) {
    int counts = settings.ours && settings.shared;
    int number = counts ? ++settings.shared->count : 0;
    if (counts && (size_t)number <= settings.kinds_count) settings.kinds[number - 1] = (unsigned char)call->what;
    int is_hit = counts && settings.at && number == settings.at;
    int stays = counts && settings.stay && settings.at && number > settings.at && !call->frees;
    int64_t offset = call->what == WRITE ? offset_of(n, a) : call->what == TRUNCATE && n == SYS_ftruncate ? a[1] : 0;
    long result;
    if (is_hit && settings.act == 'k') die();
    if (is_hit && settings.act == 't' && call->what == WRITE) {
        result = half(n, a);
        if (settings.journal >= 0 && result > 0) note(call, n, a, offset, result);
        die();
    }
    if ((is_hit || stays) && settings.act == 'f') {
        settings.shared->done = 1;
        return -settings.error;
    }
    if (is_hit && settings.act == 's' && call->what == WRITE) {
        settings.shared->done = 1;
        result = half(n, a);
    } else if (call->what == SYNC || call->what == SYNC_ALL) {
        result = 0; /* The journal knows; the disk under the test need not. */
    } else {
        result = raw(n, a[0], a[1], a[2], a[3], a[4]);
    }
    if (settings.journal >= 0 && result >= 0) note(call, n, a, offset, result);
    return result;
}

/* Shows a file under the identity that it had before it was copied. */
static const struct identity *identity_of(uint64_t inode) {
    for (size_t i = 0; i < settings.stats_count; i++)
        if (settings.stats[i].inode == inode) return &settings.stats[i];
    return NULL;
}

static void disguise(struct statx *stat) {
    const struct identity *found = identity_of(stat->stx_ino);
    if (!found) return;
    stat->stx_ino = found->shown;
    stat->stx_ctime.tv_sec = found->seconds, stat->stx_ctime.tv_nsec = (uint32_t)found->nanoseconds;
}

static void on_call(int signal, siginfo_t *info, void *context) {
    ucontext_t *interrupted = context;
    struct call call;
    long a[5], result, n = info->si_syscall;
    (void)signal;
    arguments(interrupted, a);
    if (n == SYS_statx) {
        result = raw(n, a[0], a[1], a[2], a[3], a[4]);
        if (result == 0) disguise((struct statx *)a[4]);
    } else if (n == SYS_copy_file_range || n == SYS_sendfile || n == SYS_ioctl) {
        result = n == SYS_ioctl ? -EOPNOTSUPP : n == SYS_sendfile ? -EINVAL : -EXDEV; /* Callers copy by hand then. */
    } else {
        lock();
        understand(n, a, &call);
        result = call.what ? carry_out(n, a, &call) : raw(n, a[0], a[1], a[2], a[3], a[4]);
        unlock();
    }
    RESULT(interrupted) = result;
}

static const int watched[] = {
    SYS_write, SYS_pwrite64, SYS_writev, SYS_pwritev, SYS_copy_file_range, SYS_sendfile, SYS_renameat2, SYS_linkat,
    SYS_unlinkat, SYS_mkdirat, SYS_fchmodat, SYS_symlinkat, SYS_utimensat, SYS_ftruncate, SYS_fsync, SYS_fdatasync,
    SYS_syncfs, SYS_fchmod,
#ifdef SYS_renameat
    SYS_renameat,
#endif
#ifdef SYS_open
    SYS_creat, SYS_rename, SYS_link, SYS_unlink, SYS_mkdir, SYS_rmdir, SYS_chmod, SYS_symlink,
#endif
};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static struct sock_filter program[160];
static unsigned short lines;

static void line(unsigned short code, unsigned char yes, unsigned char no, unsigned value) {
    program[lines++] = (struct sock_filter){code, yes, no, value};
}

#define LOAD(field) line(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, field))
#define LOAD_LOW(n) line(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, args[n]))
#define ANSWER(what) line(BPF_RET | BPF_K, 0, 0, what)

static void trap_if(int call) {
    line(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned)call);
    ANSWER(SECCOMP_RET_TRAP);
}

/* Traps `call` if the argument has any of these bits. */
static void trap_if_flags(int call, int argument, unsigned bits) {
    line(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (unsigned)call);
    LOAD_LOW(argument);
    line(BPF_JMP | BPF_JSET | BPF_K, 0, 1, bits);
    ANSWER(SECCOMP_RET_TRAP);
    ANSWER(SECCOMP_RET_ALLOW);
}

static void write_filter(void) {
    LOAD(arch);
    line(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCH);
    ANSWER(SECCOMP_RET_ALLOW);
    LOAD_LOW(5);
    line(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned)COOKIE);
    ANSWER(SECCOMP_RET_ALLOW);
    LOAD(nr);
    for (size_t i = 0; i < COUNT(watched); i++) trap_if(watched[i]);
    /* Rust asks by statx; the loader, which runs before the handler is there, does not. */
    if (settings.stats_count) trap_if(SYS_statx);
    trap_if_flags(SYS_openat, 2, O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY));
#ifdef SYS_open
    trap_if_flags(SYS_open, 1, O_CREAT | O_TRUNC);
#endif
    line(BPF_JMP | BPF_JEQ | BPF_K, 0, 5, SYS_ioctl);
    LOAD_LOW(1);
    line(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, (unsigned)FICLONE);
    line(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned)FICLONERANGE);
    ANSWER(SECCOMP_RET_TRAP);
    ANSWER(SECCOMP_RET_ALLOW);
    ANSWER(SECCOMP_RET_ALLOW);
}

static int number(const char *name) {
    const char *value = getenv(name);
    return value ? atoi(value) : 0;
}

static void *map(const char *name, size_t *length, int writable) {
    const char *path = getenv(name);
    struct stat found;
    if (!path) return NULL;
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &found)) abort();
    *length = (size_t)found.st_size;
    void *mapped = *length ? mmap(NULL, *length, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0) : NULL;
    close(fd);
    if (mapped == MAP_FAILED) abort();
    return mapped;
}

__attribute__((constructor)) static void begin(void) {
    const char *root = getenv("FAULTS_ROOT"), *only = getenv("FAULTS_PROGRAM"), *journal = getenv("FAULTS_JOURNAL");
    const char *act = getenv("FAULTS_DO");
    struct sock_fprog filter = {0, program};
    struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO | SA_NODEFER};
    size_t length;
    if (!root || strlen(root) >= PATH) return;
    strcpy(settings.root, root);
    settings.root_length = strlen(root);
    settings.at = number("FAULTS_AT"), settings.error = number("FAULTS_ERRNO"), settings.stay = number("FAULTS_STAY");
    settings.act = act ? *act : 0;
    settings.ours = !only || !strncmp(program_invocation_short_name, only, strlen(only));
    settings.shared = map("FAULTS_STATE", &length, 1);
    if (settings.shared && length > sizeof *settings.shared) {
        settings.kinds = (unsigned char *)(settings.shared + 1);
        settings.kinds_count = length - sizeof *settings.shared;
    }
    settings.stats = map("FAULTS_STATS", &length, 0);
    settings.stats_count = settings.stats ? length / sizeof *settings.stats : 0;
    if (journal) {
        int fd = open(journal, O_WRONLY | O_APPEND | O_CLOEXEC);
        /* Out of the way of programs that count on the next free number. */
        settings.journal = fcntl(fd, F_DUPFD_CLOEXEC, 200);
        close(fd);
        if (settings.journal < 0) abort();
    }
    write_filter();
    filter.len = lines;
    if (sigaction(SIGSYS, &action, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) abort();
}
