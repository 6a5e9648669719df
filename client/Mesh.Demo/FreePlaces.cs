using System.Net;
using System.Net.Sockets;

namespace Mesh.Demo;

/// <summary>Places for Services that nobody else uses on this machine, another demo beside this one included.</summary>
internal static class FreePlaces
{
    private const int First = 30_000;
    private const int Last = 32_767;
    private const int Wanted = 16;
    private const int BalancerPort = 8080;

    /// <summary>A range for <c>--nodeport-range</c> whose ports are free on every address.</summary>
    public static string NodePorts()
    {
        var chance = new Random();
        for (var tries = 0; tries < 1000; tries++)
        {
            var first = chance.Next(First, Last - Wanted);
            if (Enumerable.Range(first, Wanted).All(port => IsFree(IPAddress.Any, port)))
            {
                return $"{first}-{first + Wanted - 1}";
            }
        }

        throw new DemoException($"no {Wanted} ports in a row are free between {First} and {Last}");
    }

    /// <summary>An address for <c>--loadbalancer-pool</c>: every one of 127/8 is this machine's.</summary>
    public static string LoadBalancer()
    {
        var chance = new Random();
        for (var tries = 0; tries < 1000; tries++)
        {
            var address = new IPAddress([127, 98, (byte)chance.Next(1, 255), (byte)chance.Next(1, 255)]);
            if (IsFree(address, BalancerPort))
            {
                return $"{address}/32";
            }
        }

        throw new DemoException($"port {BalancerPort} is taken on every address: another program listens on 0.0.0.0:{BalancerPort}");
    }

    private static bool IsFree(IPAddress address, int port)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(address, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
