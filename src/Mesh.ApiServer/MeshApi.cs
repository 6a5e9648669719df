using System.Text.Json.Nodes;
using Mesh.ApiServer.Discovery;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Own;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Requests;
using Mesh.ApiServer.Resources;
using Mesh.ApiServer.Schemas;
using Mesh.ApiServer.Writing;
using Mesh.Core;
using Mesh.Loops;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Mesh.ApiServer;

/// <summary>How a host gets the API. The caller configures Kestrel (TLS, limits), storage and Orleans.</summary>
public static class MeshApi
{
    /// <summary>Registers the API; wants IObjectStore, IWatchCache and IGrainFactory beside it.</summary>
    public static IServiceCollection AddMeshApi(this IServiceCollection services, Action<ApiOptions> configure)
    {
        services.AddOptions<ApiOptions>().Configure(configure).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ProcessLoops>();
        services.TryAddSingleton(new Chance(new SystemRandom()));
        services.AddSingleton<ResourceCatalog>();
        services.AddSingleton(static provider => provider.GetRequiredService<ResourceCatalog>().Kinds);
        services.AddSingleton<DiscoveryDocuments>();
        services.AddSingleton<HealthEndpoints>();
        services.AddSingleton<OpenApiDocuments>();
        services.AddSingleton<Admission>();
        services.AddSingleton<StoreWriter>();
        services.TryAddSingleton<IObjectWriters, ObjectWriters>();
        services.AddSingleton<Reads>();
        services.AddSingleton<PagedLists>();
        services.AddSingleton<ReadVerbs>();
        services.AddSingleton<WatchVerb>();
        services.AddSingleton<WriteVerbs>();
        services.AddSingleton<CollectionDeletion>();
        services.AddSingleton<ResourceEndpoint>();
        services.AddSingleton<OwnObjects>();
        services.AddHostedService<InitialObjects>();
        services.AddHostedService<DefaultServiceAccounts>();
        services.AddHostedService<ApiService>();
        return services;
    }

    /// <summary>Maps every URL of the API. What else the host maps is behind the token too.</summary>
    public static WebApplication MapMeshApi(this WebApplication app)
    {
        app.UseMiddleware<Unhandled>(); // first: it answers for what the others throw
        app.UseMiddleware<BearerToken>();
        app.UseMiddleware<Impersonation>(); // before anything is read or written as the wrong user
        MapHealth(app);
        MapDiscovery(app);
        MapOpenApi(app);
        var resources = app.Services.GetRequiredService<ResourceEndpoint>();
        app.Map("/api/{version}/{**rest}", resources.HandleAsync);
        app.Map("/apis/{group}/{version}/{**rest}", resources.HandleAsync);
        app.MapFallback("{**path}", NotFoundAsync); // with a pattern: the default one leaves out names with a dot
        return app;
    }

    private static void MapHealth(WebApplication app)
    {
        var health = app.Services.GetRequiredService<HealthEndpoints>();
        foreach (var endpoint in HealthEndpoints.Checks.Keys)
        {
            app.MapGet($"/{endpoint}", (HttpContext context) => health.Answer(context, endpoint));
            app.MapGet($"/{endpoint}/{{check}}", (string check) => health.AnswerOne(endpoint, check));
        }
    }

    private static void MapDiscovery(WebApplication app)
    {
        var discovery = app.Services.GetRequiredService<DiscoveryDocuments>();
        var build = app.Services.GetRequiredService<IOptions<ApiOptions>>().Value.Build;
        app.MapGet("/", context => AnswerAsync(context, discovery.RootPaths));
        app.MapGet("/version", context => AnswerAsync(context, ServerVersion.Document(build)));
        app.MapGet("/api", context => AggregatedAsync(context, discovery.AggregatedCore, discovery.CoreVersions));
        app.MapGet("/apis", context => AggregatedAsync(context, discovery.AggregatedNamed, discovery.Groups));
        app.MapGet("/api/{version}", (HttpContext context, string version) => AnswerAsync(context, discovery.ResourcesOf("", version)));
        app.MapGet("/apis/{group}", (HttpContext context, string group) => AnswerAsync(context, discovery.GroupOf(group)));
        app.MapGet("/apis/{group}/{version}", (HttpContext context, string group, string version) =>
            AnswerAsync(context, discovery.ResourcesOf(group, version)));
    }

    private static void MapOpenApi(WebApplication app)
    {
        var documents = app.Services.GetRequiredService<OpenApiDocuments>();
        app.MapGet("/openapi/v2", context => OpenApiV2Async(context, documents));
        app.MapGet("/openapi/v3", context => AnswerAsync(context, documents.Index));
        app.MapGet("/openapi/v3/{**name}", (string name) =>
            documents.Find(name) is { } document ? Results.Bytes(document, Responses.Json) : Results.NotFound());
    }

    // kubectl and client-go take protobuf only; people and other clients ask for JSON or for nothing.
    private static Task OpenApiV2Async(HttpContext context, OpenApiDocuments documents)
    {
        context.Response.Headers.Vary = "Accept";
        var accept = context.Request.Headers.Accept.ToString();
        var isProtobuf = accept.Contains(OpenApiProtobuf.AnyVersion, StringComparison.OrdinalIgnoreCase);
        if (!isProtobuf && Representation.For(context.Request).IsRefused(out var notAcceptable, out _))
        {
            return Responses.WriteAsync(context, notAcceptable, context.RequestAborted);
        }

        var body = isProtobuf ? documents.Protobuf : documents.Json;
        context.Response.ContentType = isProtobuf ? OpenApiProtobuf.MediaType : Responses.Json;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    // Clients tell the two forms apart by the Content-Type of the answer.
    private static Task AggregatedAsync(HttpContext context, JsonObject aggregated, JsonObject plain)
    {
        context.Response.Headers.Vary = "Accept";
        if (!context.Request.Headers.Accept.ToString().Contains("as=APIGroupDiscoveryList", StringComparison.Ordinal)
            || !context.Request.Headers.Accept.ToString().Contains("v=v2;", StringComparison.Ordinal))
        {
            return AnswerAsync(context, plain);
        }

        context.Response.ContentType = DiscoveryDocuments.AggregatedType;
        return AnswerAsync(context, aggregated);
    }

    private static Task AnswerAsync(HttpContext context, JsonObject? document) => document is null
        ? Responses.WriteAsync(context, ApiStatus.NoSuchResource(), context.RequestAborted)
        : Responses.WriteAsync(context, StatusCodes.Status200OK, document, context.RequestAborted);

    private static Task NotFoundAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync("404 page not found\n", context.RequestAborted);
    }
}
