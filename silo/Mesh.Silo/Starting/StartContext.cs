using System.Collections;
using System.Collections.Immutable;
using Mesh.Hosting.Certificates;
using Mesh.Hosting.Files;
using Mesh.Hosting.Logging;
using Mesh.Hosting.Options;
using Mesh.NodeLink;
using Mesh.Silo.Certificates;
using Mesh.Silo.Nodes;

namespace Mesh.Silo.Starting;

/// <summary>Everything that was decided before anything listens.</summary>
internal sealed record StartContext(
    MeshOptions Options,
    DataDirectory Data,
    SiloAddresses Addresses,
    ServingCertificate Certificate,
    IngressCertificate IngressCertificate,
    string Token,
    NodeExecutable Executable,
    StartPhase Phase,
    IDictionary Environment)
{
    public bool LogsJson => MeshLogging.UsesJson(Options.LogFormat);

    /// <summary>Standard output is a terminal, or text was asked for: otherwise plain text would stand between lines of JSON.</summary>
    public bool TellsPeople => Options.LogFormat is null ? !Console.IsOutputRedirected : Options.LogFormat == "text";

    /// <summary>What this machine's node is told to run with.</summary>
    public NodeOptions ForNode => new()
    {
        NodeName = Options.NodeName,
        Advertise = Options.Advertise.ToString(),
        NodeListen = Addresses.Node.ToString(),
        IngressHttp = Addresses.IngressHttp.ToString(),
        IngressHttps = Addresses.IngressHttps.ToString(),
        DnsListen = Addresses.Dns.ToString(),
        ServiceCidr = Options.ServiceCidr.ToString(),
        PodCidr = Options.PodCidr.ToString(),
        NodePortAddresses = [.. Options.NodePortAddresses.Select(block => block.ToString())],
        ClusterDomain = Options.ClusterDomain,
        RegisterUids = Options.RegisterUids,
        ReservedEndpoints = ImmutableArray.Create(Addresses.Api.ToString(), Addresses.Silo.ToString()),
        LogLevel = Options.LogLevel.ToString(),
    };
}
