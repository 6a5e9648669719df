using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.NodeLink;

namespace Mesh.Agent.Registrations;

/// <summary>
/// Which addresses Pods of this machine may have: the machine's own, or one of the Pod CIDR, reserved until the Pod's end.
/// Not thread-safe: called under the lock of <see cref="Pods.PodTable"/>.
/// </summary>
internal sealed class PodAddresses
{
    private readonly Dictionary<IPAddress, int> _reserved = []; // twice, while one Pod gives way to the next
    private NodeOptions? _options;
    private IPAddress _host = IPAddress.Loopback;
    private IPNetwork _podCidr;
    private IPNetwork _serviceCidr;
    private IPEndPoint[] _own = [];
    private uint _next;

    public void Configure(NodeOptions options)
    {
        if (_options is null || _options.PodCidr != options.PodCidr)
        {
            _next = 0;
        }

        _options = options;
        _host = IPAddress.Parse(options.Advertise);
        _podCidr = IPNetwork.Parse(options.PodCidr);
        _serviceCidr = IPNetwork.Parse(options.ServiceCidr);
        string[] own = [options.NodeListen, options.IngressHttp, options.DnsListen, .. options.ReservedEndpoints];
        _own = [.. own.Where(endpoint => endpoint.Length > 0).Select(endpoint => IPEndPoint.Parse(endpoint)).Where(endpoint => endpoint.Port != 0)];
    }

    /// <summary>The address for a registration, reserved; or why not.</summary>
    /// <param name="replaced">Of the Pod that gives way to this one, which may have it.</param>
    public Refusal? Take(string wanted, IReadOnlyCollection<ContainerPort> ports, IPAddress? replaced, out IPAddress address)
    {
        address = _host;
        if (wanted == Registration.AllocatedAddress)
        {
            if (Allocate() is not { } free)
            {
                return Refusal.Unavailable($"address: every address of the Pod CIDR {_podCidr} is taken.");
            }

            address = free;
        }
        else if (wanted != Registration.HostAddress)
        {
            address = AddressText.TryParse(wanted, out var parsed) ? parsed : throw new FormatException($"address: '{wanted}' is not an IP address.");
            if (Check(address, replaced) is { } refused)
            {
                return refused;
            }
        }

        if (RefusePorts(address, ports) is { } own)
        {
            return own;
        }

        Reserve(address);
        return null;
    }

    public Refusal? RefusePorts(IPAddress address, IReadOnlyCollection<ContainerPort> ports) =>
        ports.FirstOrDefault(port => IsOwn(address, port.Number)) is { } own
            ? Refusal.BadRequest($"ports: {new IPEndPoint(address, own.Number)} is one of Mesh's own ports.")
            : null;

    /// <summary>For a Pod that an earlier process of this node took on.</summary>
    public void Reserve(IPAddress address)
    {
        if (_podCidr.Contains(address))
        {
            _reserved[address] = _reserved.GetValueOrDefault(address) + 1;
        }
    }

    public void Release(IPAddress address)
    {
        if (_reserved.TryGetValue(address, out var count) && count > 1)
        {
            _reserved[address] = count - 1;
        }
        else
        {
            _reserved.Remove(address);
        }
    }

    private Refusal? Check(IPAddress address, IPAddress? replaced)
    {
        if (_serviceCidr.Contains(address))
        {
            return Refusal.BadRequest($"address: {address} is of the Service CIDR {_serviceCidr}.");
        }

        if (_reserved.ContainsKey(address) && !address.Equals(replaced))
        {
            return Refusal.Conflict($"address: {address} was allocated to another Pod.");
        }

        return IPAddress.IsLoopback(address) || address.Equals(_host) || IsOfThisMachine(address)
            ? null
            : Refusal.BadRequest($"address: {address} is not an address of this machine.");
    }

    private static bool IsOfThisMachine(IPAddress address) => NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(card => card.GetIPProperties().UnicastAddresses)
        .Any(own => own.Address.Equals(address));

    /// <summary>In order, around and around: an address is not used again soon after its Pod's end.</summary>
    private IPAddress? Allocate()
    {
        if (_podCidr.BaseAddress.AddressFamily != AddressFamily.InterNetwork)
        {
            return null;
        }

        var first = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(_podCidr.BaseAddress.GetAddressBytes());
        // Neither the network's own address nor its broadcast address.
        var usable = (uint)((1L << (32 - _podCidr.PrefixLength)) - 2);
        Span<byte> bytes = stackalloc byte[4];
        for (uint tried = 0; tried < usable; tried++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes, first + 1 + (_next++ % usable));
            var candidate = new IPAddress(bytes);
            if (!_reserved.ContainsKey(candidate))
            {
                return candidate;
            }
        }

        return null;
    }

    /// <summary>A wildcard in Mesh's options stands for the interfaces' addresses and 127.0.0.1, not for the rest of 127/8.</summary>
    private bool IsOwn(IPAddress address, int port) => _own.Any(own =>
        own.Port == port
        && (own.Address.Equals(address)
            || ((own.Address.Equals(IPAddress.Any) || own.Address.Equals(IPAddress.IPv6Any))
                && (address.Equals(_host) || address.Equals(IPAddress.Loopback) || !IPAddress.IsLoopback(address)))));
}
