package api

import (
	"cmp"
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

// models has the type of each model's request.
var models = map[string]reflect.Type{
	string(animatemove.ModelID):    reflect.TypeFor[animatemove.Request](),
	string(animatereplace.ModelID): reflect.TypeFor[animatereplace.Request](),
	string(vacefunpose.ModelID):    reflect.TypeFor[vacefunpose.Request](),
	string(vacefunreframe.ModelID): reflect.TypeFor[vacefunreframe.Request](),
}

// AnimateMove submits a generation that animates the character of a picture with the movements of a video
// (alibaba/wan2.2-14b-animate-move). The request needs no Model. Errors are those of [Client.Submit].
func (c *Client) AnimateMove(ctx context.Context, request animatemove.Request, opts ...SubmitOption) (*Job, error) {
	request.Model = cmp.Or(request.Model, animatemove.ModelID)
	return c.Submit(ctx, request, opts...)
}

// AnimateReplace submits a generation that puts the character of a picture in the place of the person in a video
// (alibaba/wan2.2-14b-animate-replace). The request needs no Model. Errors are those of [Client.Submit].
func (c *Client) AnimateReplace(ctx context.Context, request animatereplace.Request, opts ...SubmitOption) (*Job, error) {
	request.Model = cmp.Or(request.Model, animatereplace.ModelID)
	return c.Submit(ctx, request, opts...)
}

// VaceFunPose submits a generation that makes a new video after a prompt, with the poses of another video
// (alibaba/wan2.2-vace-fun-a14b-pose). The request needs no Model. Errors are those of [Client.Submit].
func (c *Client) VaceFunPose(ctx context.Context, request vacefunpose.Request, opts ...SubmitOption) (*Job, error) {
	request.Model = cmp.Or(request.Model, vacefunpose.ModelID)
	return c.Submit(ctx, request, opts...)
}

// VaceFunReframe submits a generation that brings a video into another shape
// (alibaba/wan2.2-vace-fun-a14b-reframe). The request needs no Model. Errors are those of [Client.Submit].
func (c *Client) VaceFunReframe(ctx context.Context, request vacefunreframe.Request, opts ...SubmitOption) (*Job, error) {
	request.Model = cmp.Or(request.Model, vacefunreframe.ModelID)
	return c.Submit(ctx, request, opts...)
}

// VaceFunDepth submits a generation that generates a video guided by the depth structure of another video
// (alibaba/wan2.2-vace-fun-a14b-depth). The request needs no Model. Errors are those of [Client.Submit].
func (c *Client) VaceFunDepth(ctx context.Context, request vacefundepth.Request, opts ...SubmitOption) (*Job, error) {
	request.Model = cmp.Or(request.Model, vacefundepth.ModelID)
	return c.Submit(ctx, request, opts...)
}

// VaceFunInpainting submits a generation that regenerates the masked region of a video
// (alibaba/wan2.2-vace-fun-a14b-inpainting). The request needs no Model. Errors are those of [Client.Submit].
func (c *Client) VaceFunInpainting(ctx context.Context, request vacefuninpainting.Request, opts ...SubmitOption) (*Job, error) {
	request.Model = cmp.Or(request.Model, vacefuninpainting.ModelID)
	return c.Submit(ctx, request, opts...)
}

// VaceFunOutpainting submits a generation that extends a video beyond the edges of its frame
// (alibaba/wan2.2-vace-fun-a14b-outpainting). The request needs no Model. Errors are those of [Client.Submit].
func (c *Client) VaceFunOutpainting(ctx context.Context, request vacefunoutpainting.Request, opts ...SubmitOption) (*Job, error) {
	request.Model = cmp.Or(request.Model, vacefunoutpainting.ModelID)
	return c.Submit(ctx, request, opts...)
}
