using Mesh.Core;
using Mesh.Grains.Activations;
using Mesh.Grains.Delivery;
using Mesh.Grains.Events;
using Mesh.Grains.Gateways;
using Mesh.Grains.Keeping;
using Mesh.Grains.Nodes;
using Mesh.Grains.Placement;
using Mesh.Grains.Projections;
using Mesh.Grains.Services;
using Mesh.Loops;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Mesh.Grains;

/// <summary>Adds the grains and what they share on one silo. The store and its watch cache are the process's own.</summary>
public static class MeshGrains
{
    public static ISiloBuilder AddMeshGrains(this ISiloBuilder silo, GrainOptions options)
    {
        silo.Services.AddSingleton(Options.Create(options));
        silo.Services.AddSingleton(options.ForEndpoints());
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.AddKeyedSingleton<TimeProvider>(
            TimeProviderNames.ActivationManagement, static (services, _) => new EvenClock(services.GetRequiredService<TimeProvider>()));
        silo.Services.TryAddSingleton<Random>(_ => new SystemRandom());
        foreach (var index in Indexes.All)
        {
            silo.Services.AddSingleton(index);
        }

        silo.Services.TryAddSingleton<ProcessLoops>();
        silo.Services.AddSingleton<MembershipSignal>();
        silo.Services.AddHostedService(services => services.GetRequiredService<MembershipSignal>());
        silo.Services.AddSingleton<ClusterIPs>();
        silo.Services.AddSingleton<NodePorts>();
        silo.Services.AddSingleton<LoadBalancerPool>();
        silo.Services.AddSingleton<KnownNodes>();
        silo.Services.AddSingleton<LinkReports>();
        silo.Services.AddSingleton<InventoryRouting>();
        silo.Services.AddSingleton<NodeSessionService>();
        silo.Services.AddSingleton<EventRecorder>();
        silo.Services.AddHostedService(services => services.GetRequiredService<EventRecorder>());
        silo.Services.AddHostedService<Keeper>();
        silo.Services.AddSingleton<ProjectionPace>();
        silo.Services.AddPlacementDirector<LinkedSiloPlacement, LinkedSiloDirector>();
        silo.Services.AddPlacementDirector<AnySiloPlacement, AnySiloDirector>();
        return silo;
    }
}
