using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Selectors;
using Mesh.Storage;
using Microsoft.AspNetCore.Http;

namespace Mesh.ApiServer.Requests;

/// <summary>Get and list, for every kind.</summary>
internal sealed class ReadVerbs(Reads reads, PagedLists pages, TimeProvider time)
{
    /// <summary>Up to which change of the store everything is known.</summary>
    public long Version => reads.Cache.Version;

    public async Task<ApiStatus?> GetAsync(HttpContext context, ResourceRequest request, Freshness freshness, CancellationToken stop)
    {
        if (Representation.For(context.Request).IsRefused(out var notAcceptable, out var form))
        {
            return notAcceptable;
        }

        if (freshness is not Freshness.Newest && await reads.WaitAsync(freshness, stop) is { } tooNew)
        {
            return tooNew;
        }

        if ((await reads.GetAsync(request, stop)).IsRefused(out var missing, out var stored))
        {
            return missing;
        }

        var presenter = new Presenter(request.Resource, form, time);
        await Responses.WriteAsync(context, StatusCodes.Status200OK, writer => presenter.WriteObject(writer, stored.Document), stop);
        return null;
    }

    public async Task<ApiStatus?> ListAsync(HttpContext context, ResourceRequest request, ListOptions options, CancellationToken stop)
    {
        if (Representation.For(context.Request).IsRefused(out var notAcceptable, out var form))
        {
            return notAcceptable;
        }

        if (FilterOf(request, options).IsRefused(out var badSelector, out var filter))
        {
            return badSelector;
        }

        if ((await ListOrPageAsync(request, options, stop)).IsRefused(out var refusal, out var page))
        {
            return refusal;
        }

        var (items, next) = Cut(page, filter, options.Limit);
        var rest = page.List.Items.Count - next;
        var token = rest > 0 ? pages.Hold(About(request, options), page.List, next) : "";
        var presenter = new Presenter(request.Resource, form, time);
        await Responses.WriteItemsAsync(
            context,
            // Behind a selector nobody knows how many of the rest are meant.
            writer => presenter.WriteListStart(writer, page.List.Version, token, filter.IsByKeyOnly ? rest : null),
            items,
            presenter.WriteListItem,
            stop);
        return null;
    }

    public static Outcome<ObjectFilter> FilterOf(ResourceRequest request, ListOptions options) => ObjectFilter.Parse(
        request.Resource, request.Namespace, request.Name, options.LabelSelector, options.FieldSelector);

    private async Task<Outcome<Page>> ListOrPageAsync(ResourceRequest request, ListOptions options, CancellationToken stop)
    {
        if (options.Continue.Length > 0)
        {
            return pages.Resume(About(request, options), options.Continue) is { } held
                ? new Page(held.List, held.Position)
                : ApiStatus.Expired("The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.");
        }

        return (await reads.ListAsync(request.Resource, request.Namespace, options.Freshness, stop)).IsRefused(out var refusal, out var list)
            ? refusal
            : new Page(list, 0);
    }

    /// <summary>The items of this page, and where the next one begins.</summary>
    private static (List<StoredObject> Items, int Next) Cut(Page page, ObjectFilter filter, int limit)
    {
        var items = new List<StoredObject>();
        for (var i = page.Position; i < page.List.Items.Count; i++)
        {
            if (limit > 0 && items.Count == limit)
            {
                return (items, i);
            }

            if (filter.Matches(page.List.Items[i]))
            {
                items.Add(page.List.Items[i]);
            }
        }

        return (items, page.List.Items.Count);
    }

    private static string About(ResourceRequest request, ListOptions options) =>
        $"{request.Resource.Qualified}|{request.Namespace}|{options.LabelSelector}|{options.FieldSelector}";

    private sealed record Page(CacheList List, int Position);
}
