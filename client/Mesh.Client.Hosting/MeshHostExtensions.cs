using Mesh.Client;
using Mesh.Client.Hosting;
using Microsoft.Extensions.DependencyInjection;

// Where an application that builds a host looks already: no using is needed.
namespace Microsoft.Extensions.Hosting;

/// <summary>Joins a host to Mesh.</summary>
public static class MeshHostExtensions
{
    /// <summary>
    /// Registers this process as a Pod with the node of its machine: with the ports that the options name, ready while the
    /// health checks tagged <c>ready</c> pass, drained on stop. Reads the section <c>Mesh</c> and <c>MESH_*</c>; what
    /// <paramref name="configure"/> sets wins. A node that is away neither delays nor ends the host. A host with a web server
    /// calls <c>AddMesh</c> of its <c>WebApplicationBuilder</c> (package Mesh.Client.AspNetCore); code that has a builder of any
    /// kind in its hands, as <c>AddServiceDefaults</c>, adds <c>builder.Services.AddMeshServer()</c> of that package.
    /// </summary>
    public static TBuilder AddMesh<TBuilder>(this TBuilder builder, Action<MeshOptions>? configure = null)
        where TBuilder : IHostApplicationBuilder
    {
        MeshVariables.AddTo(builder.Configuration, Environment.GetEnvironmentVariable);
        builder.Services.AddMesh(configure);
        return builder;
    }
}
