package api

import (
	"context"
	"reflect"

	"github.com/aimlvideo/wan-go/gen/animatemove"
	"github.com/aimlvideo/wan-go/gen/animatereplace"
	"github.com/aimlvideo/wan-go/gen/vacefundepth"
	"github.com/aimlvideo/wan-go/gen/vacefuninpainting"
	"github.com/aimlvideo/wan-go/gen/vacefunoutpainting"
	"github.com/aimlvideo/wan-go/gen/vacefunpose"
	"github.com/aimlvideo/wan-go/gen/vacefunreframe"
)

// models has the request of each model, by its ID.
var models = map[string]reflect.Type{
	string(animatemove.ModelID):        reflect.TypeFor[animatemove.Request](),
	string(animatereplace.ModelID):     reflect.TypeFor[animatereplace.Request](),
	string(vacefunpose.ModelID):        reflect.TypeFor[vacefunpose.Request](),
	string(vacefunreframe.ModelID):     reflect.TypeFor[vacefunreframe.Request](),
	string(vacefundepth.ModelID):       reflect.TypeFor[vacefundepth.Request](),
	string(vacefuninpainting.ModelID):  reflect.TypeFor[vacefuninpainting.Request](),
	string(vacefunoutpainting.ModelID): reflect.TypeFor[vacefunoutpainting.Request](),
}

// AnimateMove submits a generation that animates the character of an image with the movements of a video
// (alibaba/wan2.2-14b-animate-move). See [Client.Submit].
func (c *Client) AnimateMove(ctx context.Context, request animatemove.Request, opts ...SubmitOption) (*Job, error) {
	return c.Submit(ctx, request, opts...)
}

// AnimateReplace submits a generation that replaces the person of a video by the character of an image
// (alibaba/wan2.2-14b-animate-replace). See [Client.Submit].
func (c *Client) AnimateReplace(ctx context.Context, request animatereplace.Request, opts ...SubmitOption) (*Job, error) {
	return c.Submit(ctx, request, opts...)
}

// VaceFunPose submits a generation that makes a video from a prompt and the poses of another video
// (alibaba/wan2.2-vace-fun-a14b-pose). See [Client.Submit].
func (c *Client) VaceFunPose(ctx context.Context, request vacefunpose.Request, opts ...SubmitOption) (*Job, error) {
	return c.Submit(ctx, request, opts...)
}

// VaceFunReframe submits a generation that changes the aspect ratio of a video
// (alibaba/wan2.2-vace-fun-a14b-reframe). See [Client.Submit].
func (c *Client) VaceFunReframe(ctx context.Context, request vacefunreframe.Request, opts ...SubmitOption) (*Job, error) {
	return c.Submit(ctx, request, opts...)
}

// VaceFunDepth submits a generation that makes a video guided by the depth structure of another video
// (alibaba/wan2.2-vace-fun-a14b-depth). See [Client.Submit].
func (c *Client) VaceFunDepth(ctx context.Context, request vacefundepth.Request, opts ...SubmitOption) (*Job, error) {
	return c.Submit(ctx, request, opts...)
}

// VaceFunInpainting submits a generation that regenerates the masked region of a video
// (alibaba/wan2.2-vace-fun-a14b-inpainting). See [Client.Submit].
func (c *Client) VaceFunInpainting(ctx context.Context, request vacefuninpainting.Request, opts ...SubmitOption) (*Job, error) {
	return c.Submit(ctx, request, opts...)
}

// VaceFunOutpainting submits a generation that extends a video beyond the edges of its frame
// (alibaba/wan2.2-vace-fun-a14b-outpainting). See [Client.Submit].
func (c *Client) VaceFunOutpainting(ctx context.Context, request vacefunoutpainting.Request, opts ...SubmitOption) (*Job, error) {
	return c.Submit(ctx, request, opts...)
}

// withModel sets the model of a generated request that has none.
func withModel(request any) any {
	given := reflect.Indirect(reflect.ValueOf(request))
	for id, t := range models {
		if given.IsValid() && given.Type() == t && given.FieldByName("Model").IsZero() {
			named := reflect.New(t).Elem()
			named.Set(given)
			named.FieldByName("Model").SetString(id)
			return named.Interface()
		}
	}
	return request
}
