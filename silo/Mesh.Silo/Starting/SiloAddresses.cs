using System.Net;
using Mesh.Hosting.Files;
using Mesh.Hosting.Options;
using Mesh.Hosting.Ports;
using Mesh.Hosting.Processes;

namespace Mesh.Silo.Starting;

/// <summary>Where everything of this machine listens, all ports chosen and found free.</summary>
internal sealed record SiloAddresses(ListenAddress Api, ListenAddress Node, ListenAddress IngressHttp, ListenAddress IngressHttps, ListenAddress Dns, ListenAddress Silo)
{
    /// <param name="ownNode">The living node of this data directory: what it holds is not taken.</param>
    /// <exception cref="StartRefusedException">A port is taken; the message names its option and its holder.</exception>
    public static SiloAddresses Choose(MeshOptions options, DataDirectory data, int? ownNode, Random random)
    {
        if (PortCheck.Refusal(new WantedListener("--advertise", ListenAddress.Of(options.Advertise, 0)), ownNode) is not null)
        {
            throw new StartRefusedException($"--advertise {options.Advertise} is no address of this machine");
        }

        var lastTime = AddressBook.Read(data.Addresses);
        var chosen = new HashSet<int>();
        ListenAddress Settle(WantedListener wanted, string? kept)
        {
            var at = PortChoice.For(wanted, AddressBook.PortOf(kept, wanted.At), options.NodePortRange, chosen, random);
            return PortCheck.Refusal(wanted with { At = at }, ownNode) is { } refusal ? throw new StartRefusedException(refusal) : at;
        }

        var silo = ListenAddress.Of(IPAddress.Loopback, options.SiloPort);
        var settled = new SiloAddresses(
            Settle(new WantedListener("--api-listen", options.ApiListen), lastTime.Api),
            Settle(new WantedListener("--node-listen", options.NodeListen), lastTime.Node),
            Settle(new WantedListener("--ingress-http", options.IngressHttp), lastTime.IngressHttp),
            Settle(new WantedListener("--ingress-https", options.IngressHttps), lastTime.IngressHttps),
            Settle(new WantedListener("--dns-listen", options.DnsListen, WithUdp: true), lastTime.Dns),
            Settle(new WantedListener("--silo-port", silo), lastTime.Silo));
        settled.Book().Write(data.Addresses);
        return settled;
    }

    /// <summary>Every address and port that Mesh listens on, wildcards as what they stand for.</summary>
    public IReadOnlyList<IPEndPoint> Listeners() =>
        [.. new[] { Api, Node, IngressHttp, IngressHttps, Dns, Silo }.SelectMany(listener => listener.EndPoints())];

    private AddressBook Book() => new()
    {
        Api = Api.ToString(),
        Node = Node.ToString(),
        IngressHttp = IngressHttp.ToString(),
        IngressHttps = IngressHttps.ToString(),
        Dns = Dns.ToString(),
        Silo = Silo.ToString(),
    };
}
