using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Mesh.NodeLink;

namespace Mesh.Agent.Registrations;

/// <summary>
/// Which addresses Pods of this machine may have: the machine's own, or one of the Pod CIDR, reserved until the Pod's end.
/// Not thread-safe: called under the lock of <see cref="Pods.PodTable"/>.
/// </summary>
/// <param name="ofThisMachine">The addresses of its interfaces as they are now; null: ask the system.</param>
internal sealed class PodAddresses(Func<IReadOnlyCollection<IPAddress>>? ofThisMachine = null)
{
    private readonly Func<IReadOnlyCollection<IPAddress>> _ofThisMachine = ofThisMachine ?? OfThisMachine;
    private readonly Dictionary<IPAddress, int> _reserved = []; // twice, while one Pod gives way to the next
    private NodeOptions? _options;
    private ClaimedPlaces _claimed = ClaimedPlaces.None;
    private IPAddress _host = IPAddress.Loopback;
    private IPNetwork _podCidr;
    private uint _next;

    /// <summary>Where no Pod may be.</summary>
    public EndpointRule Rule { get; private set; } = EndpointRule.Unconfigured;

    /// <summary>The addresses of the machine's interfaces now. Not under the lock, as the system may take long to tell.</summary>
    public IReadOnlyCollection<IPAddress> Look() => _ofThisMachine();

    /// <summary>The same for a registration; none where it need not be known.</summary>
    public IReadOnlyCollection<IPAddress> Look(string wanted) =>
        AddressText.TryParse(wanted, out var address) && !IPAddress.IsLoopback(address) ? Look() : [];

    /// <param name="machine">Its addresses now.</param>
    public void Configure(NodeOptions options, IReadOnlyCollection<IPAddress> machine)
    {
        if (_options is null || _options.PodCidr != options.PodCidr)
        {
            _next = 0;
        }

        _options = options;
        _host = IPAddress.Parse(options.Advertise);
        _podCidr = IPNetwork.Parse(options.PodCidr);
        Rule = options.ForEndpoints(machine).With(_claimed);
    }

    /// <summary>The node listens there for Services: whoever registers anew cannot be there.</summary>
    public EndpointRule Avoid(ClaimedPlaces claimed)
    {
        _claimed = claimed;
        return Rule = Rule.With(claimed);
    }

    /// <summary>The address for a registration, reserved; or why not.</summary>
    /// <param name="machine">Its addresses now, as <see cref="Look(string)"/> tells them.</param>
    /// <param name="replaced">Of the Pod that gives way to this one, which may have it.</param>
    public Refusal? Take(
        string wanted, IReadOnlyCollection<ContainerPort> ports, IReadOnlyCollection<IPAddress> machine, IPAddress? replaced, out IPAddress address)
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
            if (Check(address, machine, replaced) is { } refused)
            {
                return refused;
            }
        }

        if ((RefusePorts(address, ports) ?? RefuseClaimed(address, ports)) is { } own)
        {
            return own;
        }

        Reserve(address);
        return null;
    }

    public Refusal? RefusePorts(IPAddress address, IReadOnlyCollection<ContainerPort> ports) =>
        ports.FirstOrDefault(port => Rule.IsOwn(address, port.Number)) is { } own
            ? Refusal.BadRequest($"ports: {new IPEndPoint(address, own.Number)} is one of Mesh's own ports.")
            : null;

    /// <summary>Not asked of a Pod that is registered already: it may have been there first.</summary>
    private Refusal? RefuseClaimed(IPAddress address, IReadOnlyCollection<ContainerPort> ports) =>
        ports.FirstOrDefault(port => port.Protocol == TransportProtocol.Tcp && Rule.IsClaimed(address, port.Number)) is { } claimed
            ? Refusal.BadRequest($"ports: on {new IPEndPoint(address, claimed.Number)} Mesh itself answers a Service (its NodePort, or on its load balancer's address).")
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

    private Refusal? Check(IPAddress address, IReadOnlyCollection<IPAddress> machine, IPAddress? replaced)
    {
        if (Rule.WhyNot(address) is { } why)
        {
            return Refusal.BadRequest($"address: {address} {why}.");
        }

        if (_reserved.ContainsKey(address) && !address.Equals(replaced))
        {
            return Refusal.Conflict($"address: {address} was allocated to another Pod.");
        }

        return IPAddress.IsLoopback(address) || address.Equals(_host) || IsOfThisMachine(address, machine)
            ? null
            : Refusal.BadRequest($"address: {address} is not an address of this machine.");
    }

    private bool IsOfThisMachine(IPAddress address, IReadOnlyCollection<IPAddress> now)
    {
        if (_options is { } options)
        {
            Rule = options.ForEndpoints(now).With(_claimed); // where an interface has appeared, Mesh's listeners on all addresses have too
        }

        return now.Contains(address);
    }

    private static IReadOnlyCollection<IPAddress> OfThisMachine() =>
        [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(card => card.GetIPProperties().UnicastAddresses).Select(own => own.Address)];

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
}
