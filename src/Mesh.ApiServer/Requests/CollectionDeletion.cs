using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Resources;
using Mesh.Grains.Abstractions.Objects;
using Microsoft.AspNetCore.Http;

namespace Mesh.ApiServer.Requests;

/// <summary>Deletes every object of a kind that the selectors name, one after the other, as each had been named.</summary>
internal sealed class CollectionDeletion(ResourceCatalog catalog, Reads reads, WriteVerbs writes)
{
    public async Task<Outcome<Written>> DeleteAsync(HttpContext context, ResourceRequest request, RequestBody body, CancellationToken stop)
    {
        if (ListOptions.Parse(context.Request).IsRefused(out var badList, out var options))
        {
            return badList;
        }

        if (DeleteOptions.Parse(context.Request, body.Bytes, catalog.DeleteOptions).IsRefused(out var badDelete, out var delete))
        {
            return badDelete;
        }

        if (ReadVerbs.FilterOf(request, options).IsRefused(out var badSelector, out var filter))
        {
            return badSelector;
        }

        if ((await reads.ListAsync(request.Resource, request.Namespace, new Freshness.Newest(), stop)).IsRefused(out var refusal, out var list))
        {
            return refusal;
        }

        foreach (var stored in list.Items.Where(filter.Matches))
        {
            var one = request with { Namespace = stored.Key.Namespace, Name = stored.Key.Name };
            var outcome = await writes.DeleteAsync(one, delete, stop);
            if (outcome.Refusal is { Code: not StatusCodes.Status404NotFound } failed)
            {
                return failed;
            }
        }

        return new Written(StatusCodes.Status200OK, "", default, ObjectResult.Committed);
    }
}
