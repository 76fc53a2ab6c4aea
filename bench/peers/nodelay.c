/*
 * Sets TCP_NODELAY on every TCP connection of a program that has no setting for it (Kannel 1.4.5):
 *
 *   cc -O2 -shared -fPIC -o nodelay nodelay.c && LD_PRELOAD=./nodelay bearerbox kannel.conf
 *
 * Without it Kannel's figures below its full window are those of Nagle's algorithm against delayed
 * acknowledgements (44 ms a turn), not Kannel's own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static void set_nodelay(int link)
{
    int one = 1;
    setsockopt(link, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* fails, harmlessly, where it is not TCP */
}

int connect(int link, const struct sockaddr *address, socklen_t octets)
{
    int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    set_nodelay(link);
    return real(link, address, octets);
}

int accept(int listener, struct sockaddr *address, socklen_t *octets)
{
    int (*real)(int, struct sockaddr *, socklen_t *) = dlsym(RTLD_NEXT, "accept");
    int link = real(listener, address, octets);
    if (link >= 0) set_nodelay(link);
    return link;
}
