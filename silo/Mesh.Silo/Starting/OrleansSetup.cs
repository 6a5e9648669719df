using System.Net;
using Microsoft.AspNetCore.Connections;
using Orleans.Configuration;

namespace Mesh.Silo.Starting;

/// <summary>How Orleans runs on a machine that is alone: one silo, no gateway, nothing that another process could reach.</summary>
internal static class OrleansSetup
{
    public static void Alone(ISiloBuilder orleans, int siloPort, string nodeName, bool isTraced)
    {
        orleans.UseLocalhostClustering(siloPort, gatewayPort: 0, serviceId: "mesh", clusterId: "mesh");
        orleans.Configure<SiloOptions>(silo => silo.SiloName = nodeName);
        orleans.Configure<EndpointOptions>(endpoint => endpoint.AdvertisedIPAddress = IPAddress.Loopback);
        // Whoever completes Orleans' preamble may call every grain, so nobody does (a connection of its own it never makes).
        orleans.Configure<SiloConnectionOptions>(connections => connections.ConfigureSiloInboundConnection(inbound => inbound.Use(_ => Drop)));
        // A call that is not answered in 5 s has an unknown outcome; every Mesh call can be repeated.
        orleans.Configure<SiloMessagingOptions>(messaging =>
        {
            messaging.ResponseTimeout = TimeSpan.FromSeconds(5);
            messaging.SystemResponseTimeout = TimeSpan.FromSeconds(10);
        });
        orleans.Configure<ClusterMembershipOptions>(membership =>
        {
            membership.ProbeTimeout = TimeSpan.FromSeconds(2);
            membership.MinProbeTimeout = TimeSpan.FromSeconds(1);
            // Without it a frozen silo is noticed after a minute: MaxProbeTimeout times NumMissedProbesLimit.
            membership.MaxProbeTimeout = TimeSpan.FromSeconds(2.5);
            membership.NumMissedProbesLimit = 3;
            membership.TableRefreshTimeout = TimeSpan.FromSeconds(10);
            membership.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
        });
        if (isTraced)
        {
            // Filters around every call of a grain, with objects and tasks of their own.
            orleans.AddActivityPropagation();
        }
    }

    private static Task Drop(ConnectionContext connection)
    {
        connection.Abort();
        return Task.CompletedTask;
    }
}
