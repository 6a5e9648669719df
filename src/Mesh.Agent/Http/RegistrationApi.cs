using Mesh.Agent.Probes;
using Mesh.Agent.Registrations;
using Mesh.Core.Names;
using Microsoft.AspNetCore.Http;

namespace Mesh.Agent.Http;

/// <summary>The registration API, what applications may know of Services, the node's health and its figures, as one function of a request.</summary>
internal sealed class RegistrationApi(AgentService agent, Func<string?> notReady, RequestDelegate? metrics)
{
    private const int MaxBody = Pods.PodAdmission.MaxSize;

    private readonly PeerRules _peers = new(agent);
    private readonly ServicesApi _services = new(agent);

    public async Task HandleAsync(HttpContext context)
    {
        var refused = await AnswerAsync(context);
        if (refused is not null)
        {
            await RefuseAsync(context, refused);
        }
    }

    private async Task<Refusal?> AnswerAsync(HttpContext context)
    {
        // The order counts: a foreign page learns nothing, health and figures need no user, and nothing is parsed for one who may not ask.
        if (_peers.RefuseNames(context) is { } foreign)
        {
            return foreign;
        }

        var path = context.Request.Path.Value ?? "";
        if (path is "/livez" or "/readyz" or "/healthz")
        {
            return await HealthAsync(context, path);
        }

        if (path == "/metrics" && metrics is not null)
        {
            return await MetricsAsync(context, metrics);
        }

        return _peers.RefuseUser(context, out var user) is { } stranger ? stranger
            : path == "/v1/services" ? await ServicesAtPortAsync(context)
            : path.Split('/') is ["", "v1", "namespaces", var ns, "services", .. var rest] ? await _services.AnswerAsync(context, ns, rest, user)
            : await PodsAsync(context, path.Split('/'), user);
    }

    private static async Task<Refusal?> MetricsAsync(HttpContext context, RequestDelegate metrics)
    {
        if (RefuseUnlessRead(context, "/metrics") is { } refused)
        {
            return refused;
        }

        await metrics(context);
        return null;
    }

    private static Refusal? RefuseUnlessRead(HttpContext context, string path) =>
        HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)
            ? null
            : Refusal.MethodNotAllowed($"{context.Request.Method} is not for {path}.", "GET, HEAD");

    private async Task<Refusal?> HealthAsync(HttpContext context, string path)
    {
        if (RefuseUnlessRead(context, path) is { } refused)
        {
            return refused;
        }

        var reason = path == "/livez" ? null : notReady();
        context.Response.StatusCode = reason is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "text/plain";
        await context.Response.WriteAsync((reason ?? "ok") + "\n", context.RequestAborted);
        return null;
    }

    private async Task<Refusal?> ServicesAtPortAsync(HttpContext context)
    {
        var (refused, answer) = ServicesAtPort.Answer(context.Request, agent.Routing.Current);
        return refused ?? await WriteAsync(context, answer);
    }

    private async Task<Refusal?> PodsAsync(HttpContext context, string[] path, uint user)
    {
        if (path is not ["", "v1", "namespaces", var ns, "pods", ..] || path.Length > 6)
        {
            return Refusal.NotFound($"{context.Request.Path} is nothing here; Pods are at /v1/namespaces/NAMESPACE/pods/NAME, Services at /v1/namespaces/NAMESPACE/services/NAME.");
        }

        if (!DnsLabel.IsValid(ns))
        {
            return Refusal.BadRequest($"namespace: '{ns}' is not a DNS label.");
        }

        if (path.Length == 5 || path[5].Length == 0)
        {
            return HttpMethods.IsGet(context.Request.Method)
                ? await WriteAsync(context, PodDocument.List(agent.Table.List(ns)))
                : Refusal.MethodNotAllowed($"{context.Request.Method} needs the name of a Pod.", "GET");
        }

        if (!NamespacedName.TryCreate(ns, path[5], out var name))
        {
            return Refusal.BadRequest($"name: '{path[5]}' is not a DNS subdomain (lower case letters, digits, '-' and '.').");
        }

        var query = context.Request.Query;
        if (query.ContainsKey("ttl"))
        {
            return Refusal.BadRequest("ttl: not in this version; hold the request open instead.");
        }

        var uid = query["uid"].ToString() is { Length: > 0 } told ? told : null;
        return context.Request.Method switch
        {
            "GET" => await GetAsync(context, name),
            "PUT" => await PutAsync(context, name, uid, query["answers"].ToString(), user),
            "PATCH" => await PatchAsync(context, name, uid, user),
            "DELETE" => await DeleteAsync(context, name, uid, user),
            var method => Refusal.MethodNotAllowed($"{method} is not for Pods; GET, PUT, PATCH and DELETE are.", "GET, PUT, PATCH, DELETE"),
        };
    }

    private async Task<Refusal?> GetAsync(HttpContext context, NamespacedName name) => agent.Table.Show(name) is var (facts, shown)
        ? await WriteAsync(context, PodDocument.One(facts, shown))
        : Refusal.NotFound($"Pod {name} is not registered on this machine.");

    private async Task<Refusal?> PutAsync(HttpContext context, NamespacedName name, string? uid, string answers, uint user)
    {
        if (answers.Length > 0 && !ProcessProbe.IsName(answers))
        {
            return Counted(Refusal.BadRequest($"answers: '{answers}' is not the name of a socket that answers its node ({ProcessProbe.NameText})."));
        }

        var (tooLarge, body) = await BodyAsync(context);
        if (tooLarge is not null)
        {
            return Counted(tooLarge);
        }

        Registration wanted;
        try
        {
            wanted = agent.Table.IsAwaited(name, uid) ? JournaledRequest.Read(body) : RegistrationParser.Read(body);
        }
        catch (FormatException malformed)
        {
            return Counted(Refusal.BadRequest(malformed.Message));
        }

        if (_peers.RefusePorts(user, wanted, agent.Table.Show(name) is var (living, _) && living.Uid == uid ? living : null) is { } others)
        {
            return Counted(others);
        }

        // Not cancelled with the request: a client that is gone already is noticed by the stream, which ends what has begun.
        var (refused, pod, lease) = await agent.Pods.RegisterAsync(name, wanted, uid, answers.Length > 0 ? answers : null, user, agent.Stopping);
        if (refused is not null)
        {
            return Counted(refused);
        }

        AgentMetrics.Asked(StatusCodes.Status200OK);
        await new RegistrationStream(agent, pod!, lease!).WriteAsync(context);
        return null;
    }

    private async Task<Refusal?> PatchAsync(HttpContext context, NamespacedName name, string? uid, uint user)
    {
        var (tooLarge, body) = await BodyAsync(context);
        if (tooLarge is not null)
        {
            return tooLarge;
        }

        RegistrationPatch patch;
        try
        {
            patch = RegistrationParser.ReadPatch(body);
        }
        catch (FormatException malformed)
        {
            return Refusal.BadRequest(malformed.Message);
        }

        return await agent.Pods.PatchAsync(name, patch, uid, user, agent.Stopping) ?? await GetAsync(context, name);
    }

    private async Task<Refusal?> DeleteAsync(HttpContext context, NamespacedName name, string? uid, uint user)
    {
        var (refused, facts, last) = await agent.Pods.DeleteAsync(name, uid, user);
        return refused ?? await WriteAsync(context, PodDocument.One(facts!, last!));
    }

    private static Refusal Counted(Refusal refusal)
    {
        AgentMetrics.Asked(refusal.Code);
        return refusal;
    }

    /// <summary>The whole body, whatever its Content-Type says: curl -d says form data.</summary>
    private static async Task<(Refusal? TooLarge, ReadOnlyMemory<byte> Body)> BodyAsync(HttpContext context)
    {
        // As long as it says it is: ten thousand registrations are not ten thousand times the limit.
        var buffer = new byte[Math.Clamp(context.Request.ContentLength ?? MaxBody, 0, MaxBody) + 1];
        var length = 0;
        if (context.Request.ContentLength is null or <= MaxBody)
        {
            int read;
            while ((read = await context.Request.Body.ReadAsync(buffer.AsMemory(length), context.RequestAborted)) > 0)
            {
                length += read;
            }
        }
        else
        {
            length = buffer.Length;
        }

        return length > MaxBody ? (Refusal.TooLarge($"The body is larger than {MaxBody} bytes."), default) : (null, buffer.AsMemory(0, length));
    }

    internal static async Task<Refusal?> WriteAsync(HttpContext context, byte[] json)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.Body.WriteAsync(json, context.RequestAborted);
        return null;
    }

    private static async Task RefuseAsync(HttpContext context, Refusal refused)
    {
        context.Response.StatusCode = refused.Code;
        if (refused.Allow is { } allow)
        {
            context.Response.Headers.Allow = allow;
        }

        if (refused.Code == StatusCodes.Status413PayloadTooLarge)
        {
            // The rest of the body is not read.
            context.Response.Headers.Connection = "close";
        }

        await WriteAsync(context, PodDocument.Status(refused));
    }
}
