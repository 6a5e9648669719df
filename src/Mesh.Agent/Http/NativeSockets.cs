using System.Runtime.InteropServices;

namespace Mesh.Agent.Http;

#pragma warning disable SYSLIB1054, CA5392 // Plain calls of libc with blittable arguments; the generated form would need unsafe code.
/// <summary>What .NET has no call for.</summary>
internal static class NativeSockets
{
    [DllImport("libc")]
    public static extern uint geteuid();

    [DllImport("libc", SetLastError = true)]
    public static extern int socket(int domain, int type, int protocol);

    [DllImport("libc", SetLastError = true)]
    public static extern nint send(int socket, byte[] buffer, nint length, int flags);

    [DllImport("libc", SetLastError = true)]
    public static extern nint recv(int socket, byte[] buffer, nint length, int flags);

    [DllImport("libc", SetLastError = true)]
    public static extern int close(int socket);
}
#pragma warning restore SYSLIB1054, CA5392
