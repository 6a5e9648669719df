using Mesh.Client.Hosting;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Routing;

// Where an application that maps endpoints looks already: no using is needed.
namespace Microsoft.AspNetCore.Builder;

/// <summary>The health of an application that joined Mesh, as endpoints.</summary>
public static class MeshEndpointExtensions
{
    private const string LiveTag = "live";

    /// <summary><c>/healthz/live</c> from the checks tagged <c>live</c>, <c>/healthz/ready</c> from those tagged <c>ready</c>.</summary>
    public static IEndpointRouteBuilder MapMeshHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks("/healthz/live", new HealthCheckOptions { Predicate = check => check.Tags.Contains(LiveTag) });
        routes.MapHealthChecks("/healthz/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(HealthReadiness.ReadyTag) });
        return routes;
    }
}
