using System.Net;
using System.Net.Sockets;
using Mesh.Hosting.Options;

namespace Mesh.Hosting.Ports;

/// <summary>A listener that an option asks for.</summary>
public sealed record WantedListener(string Option, ListenAddress At, bool WithUdp = false);

/// <summary>Tries ports before anything listens on them.</summary>
public static class PortCheck
{
    /// <summary>Null when it is free, or held by <paramref name="ownNode"/>; otherwise the line to print.</summary>
    public static string? Refusal(WantedListener wanted, int? ownNode)
    {
        foreach (var endPoint in wanted.At.EndPoints())
        {
            if (Refusal(wanted.Option, endPoint, isUdp: false, ownNode) is { } refusal)
            {
                return refusal;
            }

            if (wanted.WithUdp && Refusal(wanted.Option, endPoint, isUdp: true, ownNode) is { } udp)
            {
                return udp;
            }
        }

        return null;
    }

    /// <summary>Whether nobody has it.</summary>
    public static bool IsFree(ListenAddress at, bool withUdp) =>
        at.EndPoints().All(endPoint => Try(endPoint, isUdp: false) is null && (!withUdp || Try(endPoint, isUdp: true) is null));

    private static string? Refusal(string option, IPEndPoint at, bool isUdp, int? ownNode)
    {
        switch (Try(at, isUdp))
        {
            case null:
                return null;
            case SocketError.AddressAlreadyInUse:
                var holder = PortHolder.Find(at, isUdp);
                return holder.Pid is { } pid && pid == ownNode ? null : $"{option} {at} is taken by {holder}";
            case SocketError.AccessDenied:
                return $"{option} {at} is not permitted: ports below 1024 need CAP_NET_BIND_SERVICE "
                    + "(or: sudo sysctl net.ipv4.ip_unprivileged_port_start=0)";
            case SocketError.AddressNotAvailable:
                return $"{option} {at}: this machine has no address {at.Address}";
            case { } other:
                return $"{option} {at} cannot be listened on: {other}";
        }
    }

    private static SocketError? Try(IPEndPoint at, bool isUdp)
    {
        try
        {
            using var socket = isUdp
                ? new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp)
                : new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(at);
            if (!isUdp)
            {
                socket.Listen(1);
            }

            return null;
        }
        catch (SocketException failure)
        {
            return failure.SocketErrorCode;
        }
    }
}
