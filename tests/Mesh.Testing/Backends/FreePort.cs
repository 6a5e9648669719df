using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Mesh.Testing.Backends;

/// <summary>
/// Ports for those who need a number before somebody listens there. The kernel gives none of them to an outgoing connection or to
/// whoever asks for port 0 (ip_local_port_range begins at 32768), so that one stays free although nobody holds it.
/// </summary>
public static class FreePort
{
    private const int First = 19_000; // above those that tests name
    private const int Last = 29_999; // NodePorts begin at 30000

    private static readonly ConcurrentDictionary<int, bool> Given = new();

    /// <summary>One that nobody has on any address, and that this process was not given before.</summary>
    public static int Next()
    {
        using var held = Held(First, Last);
        return ((IPEndPoint)held.LocalEndpoint).Port;
    }

    /// <summary>The same of other ports, and already held: listened at on every address.</summary>
    public static TcpListener Held(int first, int last)
    {
        var chance = new Random();
        while (true)
        {
            var port = chance.Next(first, last + 1);
            var listener = new TcpListener(IPAddress.Any, port);
            try
            {
                listener.Start();
                if (Given.TryAdd(port, true))
                {
                    return listener;
                }
            }
            catch (SocketException)
            {
                // Another one.
            }

            listener.Dispose();
        }
    }
}
