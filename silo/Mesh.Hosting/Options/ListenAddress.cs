using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Mesh.Hosting.Options;

/// <summary>An address and port to listen on, as an option names it. Port 0: one is chosen once and kept.</summary>
public sealed record ListenAddress
{
    private ListenAddress(IPAddress address, int port)
    {
        Address = address;
        Port = port;
    }

    public IPAddress Address { get; }

    public int Port { get; }

    public bool IsAny => Address.Equals(IPAddress.Any) || Address.Equals(IPAddress.IPv6Any);

    public static ListenAddress Of(IPAddress address, int port) => new(address, port);

    public static bool TryCreate(string? text, [NotNullWhen(true)] out ListenAddress? result)
    {
        result = null;
        var colon = text?.LastIndexOf(':') ?? -1;
        if (colon <= 0
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port > IPEndPoint.MaxPort)
        {
            return false;
        }

        var host = text![..colon];
        var isBracketed = host.StartsWith('[') && host.EndsWith(']');
        if (!IPAddress.TryParse(isBracketed ? host[1..^1] : host, out var address)
            || isBracketed != (address.AddressFamily == AddressFamily.InterNetworkV6)
            // IPAddress.Parse takes 127.1 and 0x7f000001 too; an option is written as it is printed.
            || (!isBracketed && address.ToString() != host))
        {
            return false;
        }

        result = new ListenAddress(address, port);
        return true;
    }

    public ListenAddress WithPort(int port) => new(Address, port);

    /// <summary>
    /// The endpoints to bind: never a wildcard, since on Linux 0.0.0.0:P and 127.96.0.5:P exclude each other, whoever
    /// owns them. "Any" is each interface address and 127.0.0.1, singly.
    /// </summary>
    public IReadOnlyList<IPEndPoint> EndPoints()
    {
        if (!IsAny)
        {
            return [new IPEndPoint(Address, Port)];
        }

        var addresses = NetworkInterface.GetAllNetworkInterfaces()
            .Where(card => card.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
            .SelectMany(card => card.GetIPProperties().UnicastAddresses)
            .Select(unicast => unicast.Address)
            .Where(address => address.AddressFamily == Address.AddressFamily && !address.IsIPv6LinkLocal && !IPAddress.IsLoopback(address))
            .Distinct();
        var loopback = Address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Loopback : IPAddress.IPv6Loopback;
        return [new IPEndPoint(loopback, Port), .. addresses.Select(address => new IPEndPoint(address, Port))];
    }

    public override string ToString() => new IPEndPoint(Address, Port).ToString();
}
