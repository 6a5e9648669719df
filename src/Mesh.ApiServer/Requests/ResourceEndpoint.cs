using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Resources;
using Mesh.Grains.Abstractions.Objects;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mesh.ApiServer.Requests;

/// <summary>Everything under <c>/api/VERSION/…</c> and <c>/apis/GROUP/VERSION/…</c>: from URL and method to verb and kind.</summary>
internal sealed class ResourceEndpoint(
    ResourceCatalog catalog, ReadVerbs reads, WatchVerb watches, WriteVerbs writes, CollectionDeletion collections, TimeProvider time, ILogger<ResourceEndpoint> log)
{
    public async Task HandleAsync(HttpContext context)
    {
        var stop = context.RequestAborted;
        var path = context.Request.Path.Value ?? "";
        var request = ResourceRequest.Parse(catalog, path);
        var started = time.GetTimestamp();
        using var span = ApiTracing.Start(context, request);
        ApiStatus? refusal = null;
        try
        {
            refusal = request is null
                ? await AnswerUnservedAsync(context, path, stop)
                : await DispatchAsync(context, request, stop);
            if (refusal is not null)
            {
                log.Refused(context.Request.Method, path, refusal.Code, refusal.Reason, Told(request?.Resource, refusal)!.Message);
                await Responses.WriteAsync(context, refusal, stop);
            }
        }
        catch (Exception failure) when (ApiTracing.IsNoted(span, context, failure))
        {
            throw;
        }
        finally
        {
            ApiTracing.End(span, context, Told(request?.Resource, refusal));
            ApiServerMetrics.Answered(context, request, time.GetElapsedTime(started));
        }
    }

    private async Task<ApiStatus?> AnswerUnservedAsync(HttpContext context, string path, CancellationToken stop)
    {
        var isList = HttpMethods.IsGet(context.Request.Method) && !context.Request.Query.ContainsKey("watch");
        if (!isList || EmptyLists.Find(path, reads.Version) is not { } none)
        {
            return ResourceRequest.NoSuch(catalog, path);
        }

        await Responses.WriteAsync(context, StatusCodes.Status200OK, none, stop);
        return null;
    }

    private Task<ApiStatus?> DispatchAsync(HttpContext context, ResourceRequest request, CancellationToken stop)
    {
        var method = context.Request.Method;
        if (request.Subresource.Length > 0)
        {
            return SubresourceAsync(context, request, stop);
        }

        if (HttpMethods.IsGet(method))
        {
            return ListOrGetAsync(context, request, stop);
        }

        if (request.IsWatch)
        {
            return Refuse(ApiStatus.MethodNotAllowed("a path below /watch/ can only be read"));
        }

        if (request.Resource.IsDerivedIn(request.Namespace))
        {
            return Refuse(AreDerived(request));
        }

        var isQuestion = request.Resource.WrittenBy is WrittenBy.Nobody && HttpMethods.IsPost(method);
        return request.Resource.IsWritable || isQuestion ? WriteAsync(context, request, stop) : Refuse(NotAVerbOf(request.Resource));
    }

    private static ApiStatus NotAVerbOf(Resource resource) => ApiStatus.MethodNotAllowed(resource.WrittenBy switch
    {
        WrittenBy.Nobody => $"{resource.Plural} are answered when they are created, and not kept",
        _ => $"writing {resource.Plural} is not in this version; Mesh keeps them itself",
    });

    private static ApiStatus AreDerived(ResourceRequest request) => ApiStatus.MethodNotAllowed(
        (request.Namespace.Length > 0 ? $"{request.Resource.Plural} in the namespace {request.Namespace}" : request.Resource.Plural)
        + " are made from other objects when they are read, and can be neither written nor watched");

    private Task<ApiStatus?> SubresourceAsync(HttpContext context, ResourceRequest request, CancellationToken stop)
    {
        var resource = request.Resource;
        var name = request.Subresource.Split('/')[0];
        if (resource.NotImplemented.TryGetValue(name, out var why))
        {
            return Refuse(ApiStatus.NotImplemented(why));
        }

        if (request.Subresource != "status" || !resource.HasStatus)
        {
            return Refuse(ApiStatus.NoSuchResource());
        }

        return HttpMethods.IsGet(context.Request.Method)
            ? GetStatusAsync(context, request, stop)
            : Refuse(ApiStatus.MethodNotAllowed($"writing the status of {resource.Plural} is not in this version; Mesh keeps it itself"));
    }

    private async Task<ApiStatus?> GetStatusAsync(HttpContext context, ResourceRequest request, CancellationToken stop) =>
        ListOptions.Parse(context.Request).IsRefused(out var bad, out var options) ? bad : await reads.GetAsync(context, request, options.Freshness, stop);

    private async Task<ApiStatus?> ListOrGetAsync(HttpContext context, ResourceRequest request, CancellationToken stop)
    {
        if (ListOptions.Parse(context.Request).IsRefused(out var bad, out var options))
        {
            return bad;
        }

        if (request.IsWatch)
        {
            options = options with { IsWatch = true };
        }

        if (request.Resource.ReadWarning.Length > 0)
        {
            var warnings = new Warnings();
            warnings.AddRange([request.Resource.ReadWarning]);
            warnings.WriteTo(context.Response);
        }

        if (options.IsWatch && request.Resource.IsDerivedIn(request.Namespace))
        {
            return AreDerived(request);
        }

        var verb = options.IsWatch ? "watch" : request.IsCollection ? "list" : "get";
        if (!request.Resource.Verbs.Contains(verb))
        {
            return NotAVerbOf(request.Resource);
        }

        return options.IsWatch ? await watches.WatchAsync(context, request, options, stop)
            : request.IsCollection ? await reads.ListAsync(context, request, options, stop)
            : await reads.GetAsync(context, request, options.Freshness, stop);
    }

    private async Task<ApiStatus?> WriteAsync(HttpContext context, ResourceRequest request, CancellationToken stop)
    {
        var method = context.Request.Method;
        if (WriteOptions.Parse(context.Request).IsRefused(out var badOption, out var options))
        {
            return badOption;
        }

        if (Representation.For(context.Request).IsRefused(out var notAcceptable, out var form))
        {
            return notAcceptable;
        }

        if ((await BodyReader.ReadAsync(context.Request, stop)).IsRefused(out var badBody, out var body))
        {
            return badBody;
        }

        // Typed Go clients, Helm's among them, send options as they send objects.
        if (HttpMethods.IsDelete(method) && body.MediaType == ProtobufReader.MediaType && body.Bytes.Length > 0
            && BodyDecoder.Decode(catalog.DeleteOptions, body).IsRefused(out badBody, out body))
        {
            return badBody;
        }

        var warnings = new Warnings();
        var outcome = (method, request.IsCollection) switch
        {
            ("POST", true) => await CreateAsync(request, body, options, warnings, stop),
            ("PUT", false) => await PutAsync(request, body, options, warnings, stop),
            ("PATCH", false) => await PatchAsync(request, body, options, warnings, stop),
            ("DELETE", false) => await DeleteAsync(context, request, body, stop),
            ("DELETE", true) => await collections.DeleteAsync(context, request, body, stop),
            _ => ApiStatus.MethodNotAllowed("the server does not allow this method on the requested resource"),
        };
        var code = outcome.Refusal?.Code ?? outcome.Value!.Code;
        log.Written(method, request.Resource.Plural, request.Namespace, outcome.Value?.Name ?? request.Name, options.Manager, code, Told(request.Resource, outcome.Refusal)?.Message ?? "");
        warnings.WriteTo(context.Response);
        if (outcome.IsRefused(out var refusal, out var written))
        {
            return refusal;
        }

        await AnswerAsync(context, request, method, form, written, stop);
        return null;
    }

    private async Task<Outcome<Written>> CreateAsync(
        ResourceRequest request, RequestBody body, WriteOptions options, Warnings warnings, CancellationToken stop) =>
        BodyDecoder.Decode(request.Resource.Schema, body).IsRefused(out var refusal, out var json) ? refusal
            : request.Resource.WrittenBy is WrittenBy.Nobody kind ? Questions.Answer(request.Resource, kind, json, options, warnings)
            : await writes.CreateAsync(request, json, options, warnings, stop);

    private async Task<Outcome<Written>> PutAsync(
        ResourceRequest request, RequestBody body, WriteOptions options, Warnings warnings, CancellationToken stop)
    {
        if (BodyDecoder.Decode(request.Resource.Schema, body).IsRefused(out var refusal, out var json))
        {
            return refusal;
        }

        var outcome = await writes.UpdateAsync(
            request,
            options,
            stored => ObjectReader.Read(request.Resource, json.Bytes, stored, options.FieldValidation, warnings),
            warnings,
            stop);
        return outcome.Refusal is { Code: StatusCodes.Status404NotFound } && request.Resource.CreatesOnUpdate
            ? await writes.CreateAsync(request, json, options, warnings, stop)
            : outcome;
    }

    private async Task<Outcome<Written>> PatchAsync(
        ResourceRequest request, RequestBody body, WriteOptions options, Warnings warnings, CancellationToken stop)
    {
        if (PatchReader.Read(request.Resource, body, warnings).IsRefused(out var bad, out var patch))
        {
            return bad;
        }

        return await writes.UpdateAsync(
            request,
            options,
            stored => patch((JsonObject)stored.DeepClone()).IsRefused(out var refused, out var patched)
                ? refused
                : ObjectReader.Fit(request.Resource, patched, stored, [], options.FieldValidation, warnings),
            warnings,
            stop);
    }

    private async Task<Outcome<Written>> DeleteAsync(HttpContext context, ResourceRequest request, RequestBody body, CancellationToken stop) =>
        DeleteOptions.Parse(context.Request, body.Bytes, catalog.DeleteOptions).IsRefused(out var bad, out var options)
            ? bad
            : await writes.DeleteAsync(request, options, stop);

    private Task AnswerAsync(
        HttpContext context, ResourceRequest request, string method, Representation form, Written written, CancellationToken stop)
    {
        var isGone = HttpMethods.IsDelete(method) && written.Result == ObjectResult.Committed;
        if (isGone && !(request.Resource.ReturnsDeleted && written.Document.Length > 0))
        {
            return Responses.WriteAsync(context, written.Code, Deleted(request, written.Document), stop);
        }

        var presenter = new Presenter(request.Resource, form, time);
        return Responses.WriteAsync(context, written.Code, writer => presenter.WriteObject(writer, written.Document), stop);
    }

    private static JsonObject Deleted(ResourceRequest request, ReadOnlyMemory<byte> document)
    {
        var details = new JsonObject { ["name"] = request.Name, ["kind"] = request.Resource.Plural };
        if (request.Resource.Group.Length > 0)
        {
            details["group"] = request.Resource.Group;
        }

        if (document.Length > 0)
        {
            details["uid"] = DocumentReader.ReadStored(document).At("metadata", "uid")?.DeepClone();
        }

        return new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Success",
            ["details"] = details,
        };
    }

    /// <summary>The refusal as logs and traces may hold it: what is wrong with an object may quote it.</summary>
    private static ApiStatus? Told(Resource? resource, ApiStatus? refusal) =>
        resource is { IsConfidential: true } && refusal is not null ? refusal with { Message = refusal.Reason } : refusal;

    private static Task<ApiStatus?> Refuse(ApiStatus status) => Task.FromResult<ApiStatus?>(status);
}
