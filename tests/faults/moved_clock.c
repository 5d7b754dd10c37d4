/* A wall clock that a file moves, in seconds; what waits and measures by the monotonic clock is left alone.
 * libfaketime will not do: with an unmoved monotonic clock it fails every sleep until a moment (EINVAL), and so
 * Python's time.sleep (0.9.10).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long moved(void) {
    char text[32] = "";
    const char *file = getenv("MOVED_CLOCK");
    int before = errno, opened = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
    if (opened >= 0 && read(opened, text, sizeof text - 1) < 0) text[0] = 0;
    if (opened >= 0) close(opened);
    errno = before;
    return atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += moved();
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec found;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &found)) return -1;
    now->tv_sec = found.tv_sec;
    now->tv_usec = found.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec found;
    if (clock_gettime(CLOCK_REALTIME, &found)) return -1;
    if (now) *now = found.tv_sec;
    return found.tv_sec;
}
