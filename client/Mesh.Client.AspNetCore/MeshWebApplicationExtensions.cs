using Mesh.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// Where a web application looks already: no using is needed.
namespace Microsoft.AspNetCore.Builder;

/// <summary>Joins a web application to Mesh.</summary>
public static class MeshWebApplicationExtensions
{
    /// <summary>
    /// Registers this process as a Pod with the node of its machine: with the ports that the server bound, ready while the
    /// health checks tagged <c>ready</c> pass, drained on stop. Reads the section <c>Mesh</c> and <c>MESH_*</c>; what
    /// <paramref name="configure"/> sets wins. A node that is away neither delays nor ends the host.
    /// </summary>
    public static WebApplicationBuilder AddMesh(this WebApplicationBuilder builder, Action<MeshOptions>? configure = null)
    {
        builder.Services.AddMeshServer();
        MeshHostExtensions.AddMesh(builder, configure);
        return builder;
    }
}
