using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Resources;
using Mesh.Grains.Abstractions.Objects;
using Microsoft.AspNetCore.Http;

namespace Mesh.ApiServer.Requests;

/// <summary>Answers an object that is a question: its status is the answer, and nothing is stored.</summary>
internal static class Questions
{
    public static Outcome<Written> Answer(
        Resource resource, WrittenBy.Nobody kind, RequestBody body, WriteOptions options, Warnings warnings)
    {
        if (ObjectReader.Read(resource, body.Bytes, null, options.FieldValidation, warnings).IsRefused(out var bad, out var question))
        {
            return bad;
        }

        var causes = new Causes();
        resource.Validate(null, question, causes);
        if (causes.All.Count > 0)
        {
            return ApiStatus.Invalid(resource, "", causes.All);
        }

        question["apiVersion"] = resource.ApiVersion;
        question["kind"] = resource.Kind;
        question.Child("metadata");
        question["status"] = kind.Answer(question);
        return new Written(StatusCodes.Status201Created, "", question.ToUtf8(), ObjectResult.Committed);
    }
}
